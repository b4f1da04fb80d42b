/** Three numbers along the axes [z, y, x]. */
export type Triple = readonly [number, number, number]

/**
 * Row-major 4 × 4. Ours take a voxel or patch position (z, y, x, 1), whole numbers at centres, to patient
 * millimetres (x, y, z, 1) in DICOM's LPS axes: x towards the left, y towards the back, z towards the head.
 */
export type Matrix4 = readonly (readonly number[])[]

export function multiply(a: Matrix4, b: Matrix4): number[][] {
  return a.map((row) => [0, 1, 2, 3].map((j) => row.reduce((sum, value, i) => sum + value * b[i][j], 0)))
}

export function apply(m: Matrix4, [a, b, c]: Triple): [number, number, number] {
  const at = (row: readonly number[]) => row[0] * a + row[1] * b + row[2] * c + row[3]
  return [at(m[0]), at(m[1]), at(m[2])]
}

/** new index → old index along each axis: old = new · scale + offset. */
export function indexMap(scale: Triple, offset: Triple): number[][] {
  return [
    [scale[0], 0, 0, offset[0]],
    [0, scale[1], 0, offset[1]],
    [0, 0, scale[2], offset[2]],
    [0, 0, 0, 1],
  ]
}

/** Length in mm of one step along each index axis: the norms of the columns. */
export function columnNorms(m: Matrix4): [number, number, number] {
  const norm = (j: number) => Math.hypot(m[0][j], m[1][j], m[2][j])
  return [norm(0), norm(1), norm(2)]
}

/** The map that undoes this one. @param m its last row is (0, 0, 0, 1), its columns span space */
export function inverse(m: Matrix4): number[][] {
  const cross = (a: number, b: number) => [
    m[a][1] * m[b][2] - m[a][2] * m[b][1],
    m[a][2] * m[b][0] - m[a][0] * m[b][2],
    m[a][0] * m[b][1] - m[a][1] * m[b][0],
  ]
  const columns = [cross(1, 2), cross(2, 0), cross(0, 1)]
  const determinant = m[0][0] * columns[0][0] + m[0][1] * columns[0][1] + m[0][2] * columns[0][2]
  const rows = [0, 1, 2].map((i) => {
    const row = columns.map((column) => column[i] / determinant)
    return [...row, -(row[0] * m[0][3] + row[1] * m[1][3] + row[2] * m[2][3])]
  })
  return [...rows, [0, 0, 0, 1]]
}
