import { extname } from "node:path";
import type { ParseError } from "jsonc-parser";
import { FleetError, messageOf } from "../../errors.ts";

/**
 * Parses a client's file by its ending: `.toml`, `.yaml`, else JSON with the comments and trailing commas that editors allow.
 * Rejects with CONFIG_UNREADABLE, which names line and column.
 */
export async function parseText(file: string, text: string): Promise<unknown> {
  const plain = text.startsWith("\uFEFF") ? text.slice(1) : text;
  try {
    switch (extname(file)) {
      case ".toml":
        return await parseToml(plain);
      case ".yaml":
      case ".yml":
        return (await import("yaml")).parse(plain);
      default:
        return await parseJson(plain);
    }
  } catch (error) {
    const fix = "correct the file, or name another one";
    throw new FleetError(
      "CONFIG_UNREADABLE",
      `--from: ${file} cannot be read (${messageOf(error).split("\n")[0]}); ${fix}`,
    );
  }
}

async function parseToml(text: string): Promise<unknown> {
  const { parse, TomlError } = await import("smol-toml");
  try {
    return parse(text);
  } catch (error) {
    if (!(error instanceof TomlError)) throw error;
    const [problem] = error.message.replace("Invalid TOML document: ", "").split("\n");
    throw new Error(`line ${error.line}, column ${error.column}: ${problem}`);
  }
}

async function parseJson(text: string): Promise<unknown> {
  const { parse, printParseErrorCode } = await import("jsonc-parser");
  const errors: ParseError[] = [];
  const value: unknown = parse(text, errors, { allowTrailingComma: true });
  const [first] = errors;
  if (first === undefined) return value;
  const before = text.slice(0, first.offset).split("\n");
  const column = (before.at(-1) as string).length + 1;
  throw new Error(`line ${before.length}, column ${column}: ${printParseErrorCode(first.error)}`);
}
