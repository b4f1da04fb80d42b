import { dirname } from "node:path"
import { Fault } from "#shared/errors.ts"
import { fewestSlices, groupSlices } from "./dicom/group.ts"
import { type DicomObject, readObject } from "./dicom/object.ts"
import { readSeries } from "./dicom/read.ts"
import { sourcesOf } from "./dicom/sources.ts"
import { setAsideObject } from "./dicom/verdict.ts"
import { hasHeader, kindOf } from "./kind.ts"
import type { Lot } from "./lots.ts"
import { readNifti } from "./nifti.ts"
import { removeFolder, temporaryFolder } from "./temporary.ts"
import type { ReadVolume } from "./volume.ts"
import { type FoundFile, statOf, walk } from "./walk.ts"
import { extractZip } from "./zip.ts"

/** One series found under a path; its voxels are read only when asked for. */
export interface Candidate {
  /** The path as given, or the part of it that holds just this series. */
  source: string
  /** @throws Fault naming what is wrong with this series */
  read(): Promise<ReadVolume>
}

/** Why one file is not part of any candidate. */
export interface Verdict {
  file: string
  code: string
  message: string
}

export interface Discovery {
  /** In the order of their sources. */
  candidates: Candidate[]
  setAside: Verdict[]
  /** Removes what was unpacked for reading; no candidate can be read afterwards. */
  close(): Promise<void>
}

type Found = Pick<Discovery, "candidates" | "setAside">

/** Where zips are unpacked, and what has to be removed in the end. */
interface Unpacked {
  folders: string[]
  insideZip: boolean
}

/**
 * Finds every CT series under a path, or among the DICOM files of one lot (`lots.ts`): a NIfTI file, a DICOM file, a
 * zip of either, or a folder of all of them at any depth, told by content. Only headers are read here, one file at a time; memory is a small record per DICOM frame.
 * Zips are unpacked into private temporary folders (`zip.ts` states the limits) until `close`.
 * @param as what to call the path in sources and messages, for uploads that lie under a temporary name
 * @throws Fault `no-such-path`, `empty-folder`, a file's own code when every file has the same one, else `no-series`
 */
export async function discover(given: string | Lot, as?: string): Promise<Discovery> {
  const lot = typeof given === "string" ? { paths: [given], as: as ?? given } : given
  const unpacked: Unpacked = { folders: [], insideZip: false }
  const close = async () => {
    for (const folder of unpacked.folders.splice(0)) await removeFolder(folder)
  }
  try {
    const { candidates, setAside } = await look(lot, unpacked)
    if (candidates.length === 0) throw nothing(setAside)
    // "folder#2" comes before "folder#10".
    const { compare } = new Intl.Collator("en", { numeric: true })
    candidates.sort((a, b) => compare(a.source, b.source))
    return { candidates, setAside, close }
  } catch (thrown) {
    await close()
    const { kind, code, message } = faultOf(thrown)
    throw new Fault(kind, code, `${lot.as}: ${message}`, { cause: thrown })
  }
}

async function look({ paths, as }: Lot, unpacked: Unpacked): Promise<Found> {
  const [path] = paths
  if (paths.length > 1) {
    const files = paths.map((file) => ({ path: file, as: file }))
    return sortOut(files, { path: dirname(path), as }, { candidates: [], setAside: [] }, unpacked)
  }
  const stats = await statOf(path)
  if (!stats) throw new Fault("missing", "no-such-path", "there is no such file or folder")
  if (stats.isDirectory()) {
    const { files, others } = await walk(path, as)
    const setAside = others.map(({ as: file }) => ({
      file,
      code: "not-a-file",
      message: "a linked folder or a device: name its target",
    }))
    return sortOut(files, { path, as }, { candidates: [], setAside }, unpacked)
  }
  if ((await kindOf({ path, as })) === "zip") return unpack({ path, as }, unpacked)
  return sortOut([{ path, as }], { path: dirname(path), as }, { candidates: [], setAside: [] }, unpacked)
}

async function unpack({ path, as }: FoundFile, unpacked: Unpacked): Promise<Found> {
  const folder = await temporaryFolder()
  unpacked.folders.push(folder)
  await extractZip(path, folder)
  const { files } = await walk(folder, as)
  const inner = { folders: unpacked.folders, insideZip: true }
  return sortOut(files, { path: folder, as }, { candidates: [], setAside: [] }, inner)
}

/** Turns the files under one root (a folder, an unpacked zip, or a single file) into candidates and verdicts. */
async function sortOut(
  files: FoundFile[],
  root: FoundFile,
  found: Found,
  unpacked: Unpacked,
): Promise<Found> {
  const { candidates, setAside } = found
  const objects: DicomObject[] = []
  const names = new Set(files.map(({ path }) => path))
  for (const file of files) {
    // The voxels of a pair are read with its header.
    if (files.length > 1 && hasHeader(file.path, names)) continue
    try {
      const kind = await kindOf(file)
      if (kind === "nifti") candidates.push({ source: file.as, read: () => readNifti(file.path) })
      else if (kind === "dicom") {
        const object = await readObject(file.path)
        const why = setAsideObject(object)
        if (why) setAside.push({ file: file.as, ...why })
        else objects.push(object)
      } else if (unpacked.insideZip) {
        throw new Fault("invalid", "nested-zip", "a zip within a zip is not opened: unpack it first")
      } else {
        const inside = await unpack(file, unpacked)
        for (const candidate of inside.candidates) candidates.push(candidate)
        for (const verdict of inside.setAside) setAside.push(verdict)
      }
    } catch (thrown) {
      const { code, message } = faultOf(thrown)
      setAside.push({ file: file.as, code, message })
    }
  }
  stackUp(objects, files, root, found)
  return found
}

function stackUp(
  objects: DicomObject[],
  files: FoundFile[],
  root: FoundFile,
  { candidates, setAside }: Found,
): void {
  const name = new Map(files.map(({ path, as }) => [path, as]))
  const groups = groupSlices(objects)
  const stacks = groups.filter((slices) => slices.length >= fewestSlices)
  const used = new Set(stacks.flat().map(({ object }) => object))
  for (const object of objects) {
    if (used.has(object)) continue
    const message = `fewer than ${fewestSlices} slices of its kind are here, which is no volume: give the folder or a zip of the whole series`
    setAside.push({ file: name.get(object.path) ?? object.name, code: "too-few-slices", message })
  }
  const only = stacks.length === 1 && candidates.length === 0
  const sources = only ? [root.as] : sourcesOf(stacks, root.path, root.as)
  stacks.forEach((slices, i) => {
    candidates.push({ source: sources[i], read: () => readSeries(slices) })
  })
}

/** The fault in what was thrown: a file that may not be read is one too. Anything else is a bug, and thrown on. */
function faultOf(thrown: unknown): Fault {
  if (thrown instanceof Fault) return thrown
  const { code } = thrown as NodeJS.ErrnoException
  if (code === "EACCES" || code === "EPERM" || code === "ENOENT" || code === "EIO")
    return new Fault("invalid", "unreadable", `it cannot be opened (${code})`, { cause: thrown })
  throw thrown
}

function nothing(setAside: Verdict[]): Fault {
  if (setAside.length === 0) {
    const message = "there is no file in it; give a NIfTI file, a zip, or a folder of DICOM files"
    return new Fault("invalid", "empty-folder", message)
  }
  const [{ code, message }] = setAside
  if (setAside.length === 1) return new Fault("invalid", code, message)
  const none = `none of its ${setAside.length} files is part of a CT volume`
  const counts = new Map<string, number>()
  for (const verdict of setAside) counts.set(verdict.code, (counts.get(verdict.code) ?? 0) + 1)
  if (counts.size === 1) return new Fault("invalid", code, `${none}: ${message}`)
  const list = [...counts].map(([name, count]) => `${count} ${name}`).join(", ")
  return new Fault("invalid", "no-series", `${none} (${list})`)
}
