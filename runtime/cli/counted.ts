/** "1 server", "2 servers". */
export const counted = (servers: number): string => (servers === 1 ? "1 server" : `${servers} servers`);
