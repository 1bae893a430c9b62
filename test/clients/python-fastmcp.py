"""FastMCP's client (PyPI: fastmcp): visits URLs and prints what it saw as JSON."""

import asyncio
import json
import sys

from fastmcp import Client


async def visit(url: str, calls: list, prompt: str | None = None, resource: str | None = None) -> dict:
    async with Client(url) as client:
        tools = [tool.name for tool in await client.list_tools()]
        answers = []
        for call in calls:
            result = await client.call_tool(call["tool"], call["arguments"], raise_on_error=False)
            answers.append(result.content[0].text)
        seen = {"tools": tools, "answers": answers}
        if prompt:
            seen["prompt"] = (await client.get_prompt(prompt)).messages[0].content.text
        if resource:
            seen["resource"] = (await client.read_resource(resource))[0].text.splitlines()[0]
        return seen


async def main() -> None:
    visits = json.loads(sys.argv[2])
    print(json.dumps([await visit(**one) for one in visits]))


asyncio.run(main())
