import { addMember, deleteMember } from "#shared/cohort/members.ts"
import { diskStore } from "#shared/store/disk.ts"
import { keepMade } from "./made.ts"

/** Run as a child: adds one series to cohort c of the store in a folder, and deletes another. */
const [folder, added, vector, deleted] = process.argv.slice(2)
const objects = diskStore(folder)
await keepMade(objects, added, Float32Array.from(JSON.parse(vector)))
await addMember(objects, "c", { series: added, source: "another process" }, new Date())
await deleteMember(objects, "c", deleted)
