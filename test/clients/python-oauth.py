"""Python clients that know nothing but a URL: log in, step up and refresh; prints how each call's answer begins, as JSON."""

import asyncio
import base64
import json
import sys
import time
from urllib.parse import parse_qs, urljoin, urlsplit

import httpx2
from fastmcp import Client as FastMcpClient
from fastmcp.client.auth import OAuth
from fastmcp.client.transports import SSETransport, StreamableHttpTransport
from mcp import Client
from mcp.client.auth import OAuthClientProvider
from mcp.client.sse import sse_client
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientMetadata

CALLBACK = "http://127.0.0.1:9/callback"
COUNTED = '{"count":'


async def come_back(page: str, end: str) -> AuthorizationCodeResult:
    """A browser that follows every redirect as far as the client's own URL."""
    async with httpx2.AsyncClient() as browser:
        while not page.startswith(end):
            page = urljoin(page, (await browser.get(page, follow_redirects=False)).headers["location"])
    query = parse_qs(urlsplit(page).query)
    return AuthorizationCodeResult(code=query["code"][0], state=query["state"][0], iss=query.get("iss", [None])[0])


class Memory:
    """Token storage of the SDK."""

    tokens = None
    client = None

    async def get_tokens(self):
        return self.tokens

    async def set_tokens(self, tokens):
        self.tokens = tokens

    async def get_client_info(self):
        return self.client

    async def set_client_info(self, client_info):
        self.client = client_info


def sdk_auth(url: str) -> OAuthClientProvider:
    pages = []

    async def redirect(page: str) -> None:
        pages.append(page)

    async def callback() -> AuthorizationCodeResult:
        return await come_back(pages.pop(), CALLBACK)

    metadata = OAuthClientMetadata(
        client_name="errands",
        application_type="native",
        redirect_uris=[CALLBACK],
        grant_types=["authorization_code", "refresh_token"],
        token_endpoint_auth_method="none",
    )
    return OAuthClientProvider(url, metadata, Memory(), redirect, callback)


class FastMcpOAuth(OAuth):
    """FastMCP's own, with a browser that nobody has to look at."""

    async def redirect_handler(self, authorization_url: str) -> None:
        self.page = authorization_url

    async def callback_handler(self) -> AuthorizationCodeResult:
        return await come_back(self.page, str(self.context.client_metadata.redirect_uris[0]))


async def expiry(auth: OAuthClientProvider) -> None:
    payload = auth.context.current_tokens.access_token.split(".")[1]
    # The SDK counts from when it got the token, which is up to a second later.
    end = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))["exp"] + 1
    while time.time() <= end:
        await asyncio.sleep(end + 0.001 - time.time())


async def do(client, auth: OAuthClientProvider, calls: list) -> list:
    said = []
    for call in calls:
        if call.get("expired"):
            await expiry(auth)
        said.append((await client.call_tool(call["tool"], {})).content[0].text[: len(COUNTED)])
    return said


async def sdk(url: str, transport: str, calls: list) -> list:
    auth = sdk_auth(url)
    if transport == "sse":
        async with Client(sse_client(url, auth=auth), mode="legacy") as client:
            return await do(client, auth, calls)
    async with httpx2.AsyncClient(auth=auth, follow_redirects=True) as http:
        async with Client(streamable_http_client(url, http_client=http)) as client:
            return await do(client, auth, calls)


async def fastmcp(url: str, transport: str, calls: list) -> list:
    auth = FastMcpOAuth(url, additional_client_metadata={"application_type": "native"}, callback_host="127.0.0.1")
    kind = SSETransport if transport == "sse" else StreamableHttpTransport
    async with FastMcpClient(kind(url, auth=auth)) as client:
        return await do(client, auth, calls)


async def main() -> None:
    errand = json.loads(sys.argv[2])
    errand.pop("refreshless", None)
    run = {"sdk": sdk, "fastmcp": fastmcp}[sys.argv[1]]
    print(json.dumps(await run(**errand)))


asyncio.run(main())
