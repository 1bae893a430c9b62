"""An MCP server on one of the two Python SDKs (`mcp` or `fastmcp`) whose tools work as people write them: one blocks the
process's only thread, and one tells its progress."""

import asyncio
import os
import sys
import time

if sys.argv[1] == "fastmcp":
    from fastmcp import Context, FastMCP as Server
else:
    from mcp.server import MCPServer as Server
    from mcp.server.mcpserver import Context

server = Server("working")


@server.tool()
async def quick() -> str:
    return str(os.getpid())


@server.tool()
async def block(seconds: float) -> str:
    time.sleep(seconds)
    return str(os.getpid())


@server.tool()
async def steps(count: int, ctx: Context) -> str:
    for step in range(count):
        await ctx.report_progress(step, count)
        await asyncio.sleep(0.5)
    return str(os.getpid())


server.run(transport="stdio")
