import type { DicomObject } from "./object.ts"

/** Secondary Capture and its multi-frame kin; PS3.4 B.5. */
const secondaryCapture = /^1\.2\.840\.10008\.5\.1\.4\.1\.1\.7(\.|$)/
const mediaDirectory = "1.2.840.10008.1.3.10"

/** Why a whole object can be no part of a CT volume; undefined when it can. */
export function setAsideObject(object: DicomObject): { code: string; message: string } | undefined {
  const { modality, sopClass, imageType, format, pixels } = object
  if (sopClass === mediaDirectory)
    return { code: "dicomdir", message: "a DICOMDIR is a table of contents, not an image" }
  if (modality !== "CT") {
    const what = /^[A-Z]{2,16}$/.test(modality) ? `its Modality is ${modality}` : "it names no Modality"
    return { code: "not-ct", message: `${what}: only CT is read` }
  }
  if (imageType.some((value) => value.trim() === "LOCALIZER"))
    return { code: "localizer", message: "a localizer (scout) is a projection, not a slice" }
  if (secondaryCapture.test(sopClass))
    return { code: "secondary-capture", message: "a secondary capture is a screenshot, without HU or place" }
  if (!pixels)
    return { code: "no-pixels", message: "it has no PixelData: export the images, not only their headers" }
  if (format.samples !== 1 || !/^(MONOCHROME[12])?$/.test(format.photometric))
    return { code: "colour-image", message: "it is a colour image: only grey values can be HU" }
  return undefined
}
