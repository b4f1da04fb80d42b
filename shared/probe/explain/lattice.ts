import { inverse, type Matrix4, multiply, type Triple } from "#shared/volume/affine.ts"

/**
 * Where patches lie among the voxels of a volume, along [z, y, x]: the centre of patch p at voxel first + p · step, whole
 * numbers being centres of voxels, and each patch `step` voxels long. Patches touch.
 */
export interface Lattice {
  first: Triple
  step: Triple
}

/** @param gridToPatient of features of that very volume, whose patches lie along its axes */
export function latticeOf(affine: Matrix4, gridToPatient: Matrix4): Lattice {
  const m = multiply(inverse(affine), gridToPatient)
  const aside = [0, 1, 2].flatMap((i) => [0, 1, 2].map((j) => (i === j ? 0 : Math.abs(m[i][j]))))
  if (Math.max(...aside) > 1e-6) throw new Error("these are patches of another volume")
  return { first: [m[0][3], m[1][3], m[2][3]], step: [m[0][0], m[1][1], m[2][2]] }
}
