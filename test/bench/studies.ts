/**
 * What probes on the default encoder's features say of real CT: which organs of OpenKBP's head-and-neck scans are contoured and
 * how large they are, whether a crop shows tumour, and how large the tumour is. Fitted and cross-validated on one cohort,
 * and on patients that no encoder of ours has seen (`validation`). Every number beside its trivial ones.
 * `npm run bench -- studies [FOLDER]`: FOLDER keeps the features for the next time. Takes a quarter of an hour.
 */
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join, resolve } from "node:path"
import { prng } from "#shared/probe/math/prng.ts"
import type { ProbeRecord } from "#shared/probe/record.ts"
import { writeNifti } from "#shared/volume/nifti-write.ts"
import { type Case, openkbp, sarcoma } from "./studies/cases.ts"
import { pairOf } from "./studies/crops.ts"
import { addAll, fit, voxkin } from "./studies/store.ts"

const data = resolve(import.meta.dirname, "../../../shared/data")
const kept = process.argv[2]
const folder = kept ? resolve(kept) : mkdtempSync(join(tmpdir(), "voxkin-studies-"))
mkdirSync(join(folder, "crops"), { recursive: true })

/** A crop of each kind of every patient that has both. */
async function crops(cases: Case[]) {
  const found = []
  for (const [n, { patient, open }] of cases.entries()) {
    const { ct, isTarget } = await open()
    const pair = pairOf(ct, isTarget, prng(n))
    if (!pair) continue
    for (const [name, volume] of Object.entries(pair)) {
      const path = join(folder, "crops", `${patient}-${name}.nii`)
      writeFileSync(path, writeNifti(volume))
      found.push({ path, labels: { patient, tumour: name === "target" } })
    }
  }
  return found
}

type Row = ProbeRecord["metrics"][number]
const shown = (metrics: readonly Row[] | undefined, name: string): string => {
  const found = metrics?.find((metric) => metric.name === name)
  if (!found) return "–"
  const interval =
    found.low === null || found.high === null
      ? ""
      : ` [${found.low.toPrecision(3)}, ${found.high.toPrecision(3)}]`
  return `${found.value.toPrecision(3)}${interval}`
}

function table(title: string, record: ProbeRecord, names: string[], outside?: Row[]): void {
  console.log(`\n${title}: ${record.training.count} series, ${record.training.patients} patients`)
  for (const name of names) {
    const { metrics, baseline, nearest, acquisition } = record
    const columns = Object.entries({ probe: metrics, trivial: baseline, nearest, acquisition, outside })
    console.log(`  ${name.padEnd(8)} ${columns.map(([who, of]) => `${who} ${shown(of, name)}`).join("   ")}`)
  }
  for (const { code, message } of record.notes) console.log(`  note ${code}: ${message}`)
}

/** Of a probe on patients it never saw. */
function outside(name: string, cohort: string): Row[] {
  const [evaluation] = voxkin(folder, "probe", "eval", name, "--cohort", cohort)
  return evaluation.metrics as Row[]
}

if (!existsSync(data)) {
  console.log("the development data is not there: nothing to study")
} else {
  const [train, validation] = [await openkbp(data, "train"), await openkbp(data, "validation")]
  const sarcomas = await sarcoma(data)
  addAll(folder, "train", train)
  addAll(folder, "validation", validation)
  addAll(folder, "sarcoma", sarcomas)
  addAll(folder, "crops", await crops(train))
  addAll(folder, "crops-validation", await crops(validation))
  addAll(folder, "crops-sarcoma", await crops(sarcomas))

  for (const organ of ["oesophagus", "larynx", "mandible", "brainstem"]) {
    const probe = organ.replace("_", "-")
    const record = fit(folder, probe, "--cohort", "train", "--task", "classification", "--label", organ)
    table(`${organ} contoured`, record, ["auroc", "auprc", "brier"], outside(probe, "validation"))
  }
  for (const organ of ["brainstem", "spinal_cord", "left_parotid", "mandible", "larynx"]) {
    const probe = `${organ.replace("_", "-")}-ml`
    const args = ["--cohort", "train", "--task", "regression", "--label", `${organ}_ml`, "--unit", "ml"]
    table(`${organ} in ml`, fit(folder, probe, ...args), ["mae", "r2"], outside(probe, "validation"))
  }
  const presence = ["--task", "classification", "--label", "tumour"]
  const inCrop = fit(folder, "tumour", "--cohort", "crops", ...presence)
  table("tumour in a crop", inCrop, ["auroc", "auprc", "brier"], outside("tumour", "crops-validation"))
  table("… the same probe on sarcomas", inCrop, ["auroc"], outside("tumour", "crops-sarcoma"))
  const inSarcoma = fit(folder, "sarcoma-tumour", "--cohort", "crops-sarcoma", ...presence)
  table("tumour in a crop, sarcomas", inSarcoma, ["auroc", "auprc", "brier"])
  const volume = ["--task", "regression", "--label", "target_ml", "--unit", "ml"]
  const size = fit(folder, "tumour-ml", "--cohort", "train", ...volume)
  table("tumour in ml", size, ["mae", "r2"], outside("tumour-ml", "validation"))
  table("tumour in ml, sarcomas", fit(folder, "sarcoma-ml", "--cohort", "sarcoma", ...volume), ["mae", "r2"])
}
if (!kept) rmSync(folder, { recursive: true, force: true })
