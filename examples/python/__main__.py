import pulumi
from pulumi_mcp_fleet import MCPGateway, MCPServerFleet

thinking = MCPServerFleet("thinking", type="sequential", scaling={"min_instances": 1, "max_instances": 4})
gateway = MCPGateway("gateway", port=8080, fleets=[{"server_name": thinking.server_name}])

pulumi.export("endpoint", gateway.endpoint)
