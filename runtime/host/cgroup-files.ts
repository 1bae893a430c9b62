import {
  accessSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from "node:fs";

/** What is done with files of control groups. */
export interface CgroupFiles {
  exists(path: string): boolean;
  /** Throws when this process cannot make anything in the folder. */
  checkWritable(folder: string): void;
  list(folder: string): readonly string[];
  read(path: string): string;
  /** The kernel takes a value as a whole; a file that is not there is not made. */
  write(path: string, value: string): void;
  make(folder: string): void;
  /** Throws as long as there is a process in it. */
  remove(folder: string): void;
}

/** Those of the kernel. */
export const kernelFiles: CgroupFiles = {
  exists: existsSync,
  checkWritable: (folder) => accessSync(folder, constants.W_OK),
  list: (folder) => readdirSync(folder),
  read: (path) => readFileSync(path, "utf8"),
  write: (path, value) => writeFileSync(path, value, { flag: "r+" }),
  make: (folder) => mkdirSync(folder),
  remove: (folder) => rmdirSync(folder),
};
