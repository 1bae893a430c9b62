import { expect, test } from "@jest/globals";
import { syscallFilter } from "../../../runtime/orchestrator/syscall-filter.ts";

/** Runs a filter as the kernel does (Documentation/networking/filter.rst, linux/seccomp.h). */
function answer(program: Buffer, architecture: number, call: number, ...values: number[]): string {
  const data = Buffer.alloc(64);
  data.writeUInt32LE(call >>> 0, 0);
  data.writeUInt32LE(architecture, 4);
  for (const [index, value] of values.entries()) data.writeUInt32LE(value >>> 0, 16 + index * 8);
  let accumulator = 0;
  for (let at = 0; at * 8 < program.length; at += 1) {
    const code = program.readUInt16LE(at * 8);
    const [yes, no] = [program.readUInt8(at * 8 + 2), program.readUInt8(at * 8 + 3)];
    const value = program.readUInt32LE(at * 8 + 4);
    const jump = (holds: boolean) => {
      at += holds ? yes : no;
    };
    if (code === 0x20) accumulator = data.readUInt32LE(value);
    else if (code === 0x15) jump(accumulator === value);
    else if (code === 0x35) jump(accumulator >= value);
    else if (code === 0x45) jump((accumulator & value) !== 0);
    else if (code === 0x06) return value === 0x7fff0000 ? "allowed" : (errors[value & 0xffff] ?? String(value));
    else throw new Error(`no such instruction ${code}`);
  }
  throw new Error("the filter has no end");
}
const errors: Record<number, string> = { 1: "EPERM", 38: "ENOSYS", 92: "ENOPROTOOPT" };
const newUser = 0x10000000;

test.each([
  [
    "x64",
    0xc000003e,
    { keyctl: 250, addKey: 248, unshare: 272, mount: 165, clone: 56, ioctl: 16, socket: 41, setsockopt: 54, read: 0 },
  ],
  [
    "arm64",
    0xc00000b7,
    { keyctl: 219, addKey: 217, unshare: 97, mount: 40, clone: 220, ioctl: 29, socket: 198, setsockopt: 208, read: 63 },
  ],
])("%s: what a namespace does not hold is refused, and nothing else", (processor, architecture, numbers) => {
  const program = syscallFilter(processor) as Buffer;
  const ask = (call: number, ...values: number[]) => answer(program, architecture, call, ...values);
  const { keyctl, addKey, unshare, mount, clone, ioctl, socket, setsockopt, read } = numbers;
  expect([keyctl, addKey, unshare, mount].map((call) => ask(call))).toEqual(new Array(4).fill("EPERM"));
  // clone3, io_uring_setup, and a call of another interface (x32).
  expect([435, 425, read + 0x40000000].map((call) => ask(call))).toEqual(new Array(3).fill("ENOSYS"));
  expect([ask(clone, newUser | 17), ask(clone, 0x3d0f00)]).toEqual(["EPERM", "allowed"]);
  expect([ask(ioctl, 0, 0x5412), ask(ioctl, 0, 0x541c), ask(ioctl, 0, 0x5413)]).toEqual(["EPERM", "EPERM", "allowed"]);
  expect([ask(socket, 40), ask(socket, 1), ask(socket, 2)]).toEqual(["EPERM", "allowed", "allowed"]);
  // SO_REUSEPORT, with which it could take a part of the gateway's connections; SO_REUSEADDR; an option of TCP.
  const options = [ask(setsockopt, 3, 1, 15), ask(setsockopt, 3, 1, 2), ask(setsockopt, 3, 6, 15)];
  expect(options).toEqual(["ENOPROTOOPT", "allowed", "allowed"]);
  expect(ask(read)).toBe("allowed");
  expect(answer(program, 0x40000003, read)).toBe("ENOSYS");
});

test("there is none for other processors", () => {
  expect(syscallFilter("ppc64")).toBeUndefined();
});
