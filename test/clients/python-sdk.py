"""The Python SDK's client (PyPI: mcp): visits URLs in one mode and prints what it saw as JSON."""

import asyncio
import json
import sys

from mcp import Client


async def visit(url: str, calls: list, mode: str, prompt: str | None = None, resource: str | None = None) -> dict:
    async with Client(url, mode=mode) as client:
        tools = [tool.name for tool in (await client.list_tools()).tools]
        answers = [(await client.call_tool(call["tool"], call["arguments"])).content[0].text for call in calls]
        seen = {"revision": client.protocol_version, "tools": tools, "answers": answers}
        if prompt:
            seen["prompt"] = (await client.get_prompt(prompt)).messages[0].content.text
        if resource:
            seen["resource"] = (await client.read_resource(resource)).contents[0].text.splitlines()[0]
        return seen


async def main() -> None:
    mode, visits = sys.argv[1], json.loads(sys.argv[2])
    print(json.dumps([await visit(mode=mode, **one) for one in visits]))


asyncio.run(main())
