/** Numbers of system calls on one kind of processor (linux: arch/x86/entry/syscalls/syscall_64.tbl, include/uapi/asm-generic/unistd.h). */
interface Numbers {
  /** AUDIT_ARCH_* of linux/audit.h. */
  readonly architecture: number;
  readonly refused: readonly number[];
  readonly absent: readonly number[];
  readonly clone: number;
  readonly ioctl: number;
  readonly socket: number;
  readonly setsockopt: number;
}

// Keys: add_key, request_key, keyctl. Namespaces and mounts: unshare, setns, mount, umount2, pivot_root. Reach into the
// kernel: bpf, perf_event_open, userfaultfd.
const x64: Numbers = {
  architecture: 0xc000003e,
  refused: [248, 249, 250, 272, 308, 165, 166, 155, 321, 298, 323],
  // clone3, whose flags a filter cannot read; io_uring, which makes calls that no filter sees; open_tree to fspick, mount_setattr.
  absent: [435, 425, 426, 427, 428, 429, 430, 431, 432, 433, 442],
  clone: 56,
  ioctl: 16,
  socket: 41,
  setsockopt: 54,
};
const arm64: Numbers = {
  architecture: 0xc00000b7,
  refused: [217, 218, 219, 97, 268, 40, 39, 41, 280, 241, 282],
  absent: x64.absent,
  clone: 220,
  ioctl: 29,
  socket: 198,
  setsockopt: 208,
};
const processors: Readonly<Record<string, Numbers>> = { x64, arm64 };

// linux/seccomp.h, linux/filter.h, linux/sched.h, asm-generic/ioctls.h; errno.h
const [allow, errno] = [0x7fff0000, 0x00050000];
const [notPermitted, noSuchCall, noSuchOption] = [errno | 1, errno | 38, errno | 92];
const newUserNamespace = 0x10000000;
/** TIOCSTI and TIOCLINUX type into a terminal. */
const terminalInput = [0x5412, 0x541c];
/** AF_VSOCK, which reaches the host of a virtual machine, belongs to no network namespace. */
const foreignFamilies = [40];
/** With SO_REUSEPORT of SOL_SOCKET, processes of one user share a port: a server with a network could take the gateway's callers. */
const [socketLevel, sharedPort] = [1, 15];
/** Calls of the x32 interface have this bit. */
const x32 = 0x40000000;
// struct seccomp_data: nr, arch, instruction_pointer, args[6]
const [callOffset, architectureOffset, firstArgument, secondArgument, thirdArgument] = [0, 4, 16, 24, 32];
const [load, equal, greaterOrEqual, anyBit, end] = [0x20, 0x15, 0x35, 0x45, 0x06];

/** One instruction: `yes` and `no` say how many are skipped. */
type Instruction = readonly [code: number, yes: number, no: number, value: number];

/**
 * A filter of system calls in the form that `bwrap --seccomp` reads (struct sock_filter, an array). What a namespace does
 * not hold is refused: the kernel's key rings, which belong to users and sessions, and namespaces within, in which a
 * server would have every capability again. Undefined on processors for which there is none.
 */
export function syscallFilter(processor: string = process.arch): Buffer | undefined {
  const numbers = processors[processor];
  if (numbers === undefined) return undefined;
  const { architecture, refused, absent, clone, ioctl, socket, setsockopt } = numbers;
  const answer = (calls: readonly number[], result: number): Instruction[] =>
    calls.flatMap((call): Instruction[] => [
      [equal, 0, 1, call],
      [end, 0, 0, result],
    ]);
  const program: Instruction[] = [
    [load, 0, 0, architectureOffset],
    [equal, 1, 0, architecture],
    // Programs for another kind of processor have other numbers.
    [end, 0, 0, noSuchCall],
    [load, 0, 0, callOffset],
    [greaterOrEqual, 0, 1, x32],
    [end, 0, 0, noSuchCall],
    ...answer(refused, notPermitted),
    ...answer(absent, noSuchCall),
    [equal, 0, 4, clone],
    [load, 0, 0, firstArgument],
    [anyBit, 0, 1, newUserNamespace],
    [end, 0, 0, notPermitted],
    [end, 0, 0, allow],
    [equal, 0, 4, socket],
    [load, 0, 0, firstArgument],
    ...answer(foreignFamilies, notPermitted),
    [end, 0, 0, allow],
    [equal, 0, 6, setsockopt],
    [load, 0, 0, secondArgument],
    [equal, 0, 3, socketLevel],
    [load, 0, 0, thirdArgument],
    ...answer([sharedPort], noSuchOption),
    [end, 0, 0, allow],
    [equal, 0, 5, ioctl],
    [load, 0, 0, secondArgument],
    ...answer(terminalInput, notPermitted),
    [end, 0, 0, allow],
  ];
  const bytes = Buffer.alloc(program.length * 8);
  for (const [index, [code, yes, no, value]] of program.entries()) {
    bytes.writeUInt16LE(code, index * 8);
    bytes.writeUInt8(yes, index * 8 + 2);
    bytes.writeUInt8(no, index * 8 + 3);
    bytes.writeUInt32LE(value >>> 0, index * 8 + 4);
  }
  return bytes;
}
