;; Scans rows for those that may be among the best: four at a time against one query, in 128-bit SIMD.
;; A scan covers $count rows: those whose numbers stand at $list or, where that is 0, those from $first on. It writes
;; a pair (row u32, score f32) to $out for each row that reaches $floor, in no order, and returns the end of what it
;; wrote; $out needs room for $count + 4 pairs.
;; The four rows of one step lie a quarter of the scan apart: the processor reads ahead along one stream a page, and
;; four neighbors in one page took twice as long. Longer unrolling, and touching the next rows early, gained nothing.
;; Build: node shared/kernel/build.mjs
(module
  (memory (import "kernel" "memory") 1 65536)

  ;; Appends the rows whose bit is set in $mask. Branchless: each pair is written, and kept by moving on.
  (func $keep (param $out i32) (param $mask i32) (param $score v128)
              (param $r0 i32) (param $r1 i32) (param $r2 i32) (param $r3 i32) (result i32)
    (i32.store (local.get $out) (local.get $r0))
    (f32.store offset=4 (local.get $out) (f32x4.extract_lane 0 (local.get $score)))
    (local.set $out (i32.add (local.get $out) (i32.shl (i32.and (local.get $mask) (i32.const 1)) (i32.const 3))))
    (i32.store (local.get $out) (local.get $r1))
    (f32.store offset=4 (local.get $out) (f32x4.extract_lane 1 (local.get $score)))
    (local.set $out (i32.add (local.get $out) (i32.shl (i32.and (local.get $mask) (i32.const 2)) (i32.const 2))))
    (i32.store (local.get $out) (local.get $r2))
    (f32.store offset=4 (local.get $out) (f32x4.extract_lane 2 (local.get $score)))
    (local.set $out (i32.add (local.get $out) (i32.shl (i32.and (local.get $mask) (i32.const 4)) (i32.const 1))))
    (i32.store (local.get $out) (local.get $r3))
    (f32.store offset=4 (local.get $out) (f32x4.extract_lane 3 (local.get $score)))
    (i32.add (local.get $out) (i32.and (local.get $mask) (i32.const 8))))

  ;; Rows of int8 codes. A row is $stride bytes, a multiple of 16: codes, zeros, and in the last eight bytes its scale
  ;; and its residual as f32. The query is $stride int16, zero where a row holds no codes; the sum of
  ;; |query| x 127 is below 2^31, so that no sum overflows. score = scale x dot; kept when
  ;; score + residual x $spread >= $floor.
  (func (export "scanCodes")
        (param $query i32) (param $rows i32) (param $stride i32) (param $list i32) (param $first i32) (param $count i32)
        (param $floor f32) (param $spread f32) (param $out i32) (result i32)
    (local $i i32) (local $quarter i32) (local $some i32) (local $q i32) (local $end i32) (local $mask i32)
    (local $r0 i32) (local $r1 i32) (local $r2 i32) (local $r3 i32)
    (local $p0 i32) (local $p1 i32) (local $p2 i32) (local $p3 i32)
    (local $a0 v128) (local $a1 v128) (local $a2 v128) (local $a3 v128) (local $x v128) (local $y v128)
    (local.set $quarter (i32.shr_u (i32.add (local.get $count) (i32.const 3)) (i32.const 2)))
    (block $done
      (loop $four
        (br_if $done (i32.ge_u (local.get $i) (local.get $quarter)))
        (local.set $r0 (local.get $i))
        (local.set $r1 (i32.add (local.get $r0) (local.get $quarter)))
        (local.set $r2 (i32.add (local.get $r1) (local.get $quarter)))
        (local.set $r3 (i32.add (local.get $r2) (local.get $quarter)))
        (local.set $some (i32.const 15))
        ;; Beyond the end stands the first again, and $some says which of the four count.
        (if (i32.ge_u (local.get $r3) (local.get $count)) (then (local.set $r3 (local.get $r0)) (local.set $some (i32.const 7))))
        (if (i32.ge_u (local.get $r2) (local.get $count)) (then (local.set $r2 (local.get $r0)) (local.set $some (i32.const 3))))
        (if (i32.ge_u (local.get $r1) (local.get $count)) (then (local.set $r1 (local.get $r0)) (local.set $some (i32.const 1))))
        (if (local.get $list)
          (then
            (local.set $r0 (i32.load (i32.add (local.get $list) (i32.shl (local.get $r0) (i32.const 2)))))
            (local.set $r1 (i32.load (i32.add (local.get $list) (i32.shl (local.get $r1) (i32.const 2)))))
            (local.set $r2 (i32.load (i32.add (local.get $list) (i32.shl (local.get $r2) (i32.const 2)))))
            (local.set $r3 (i32.load (i32.add (local.get $list) (i32.shl (local.get $r3) (i32.const 2))))))
          (else
            (local.set $r0 (i32.add (local.get $r0) (local.get $first)))
            (local.set $r1 (i32.add (local.get $r1) (local.get $first)))
            (local.set $r2 (i32.add (local.get $r2) (local.get $first)))
            (local.set $r3 (i32.add (local.get $r3) (local.get $first)))))
        (local.set $p0 (i32.add (local.get $rows) (i32.mul (local.get $r0) (local.get $stride))))
        (local.set $p1 (i32.add (local.get $rows) (i32.mul (local.get $r1) (local.get $stride))))
        (local.set $p2 (i32.add (local.get $rows) (i32.mul (local.get $r2) (local.get $stride))))
        (local.set $p3 (i32.add (local.get $rows) (i32.mul (local.get $r3) (local.get $stride))))
        (local.set $end (i32.add (local.get $p0) (local.get $stride)))
        (local.set $q (local.get $query))
        (local.set $a0 (v128.const i64x2 0 0))
        (local.set $a1 (v128.const i64x2 0 0))
        (local.set $a2 (v128.const i64x2 0 0))
        (local.set $a3 (v128.const i64x2 0 0))
        (loop $codes
          (local.set $x (v128.load (local.get $q)))
          (local.set $y (v128.load offset=16 (local.get $q)))
          (local.set $a0 (i32x4.add (local.get $a0) (i32x4.dot_i16x8_s (local.get $x) (v128.load8x8_s (local.get $p0)))))
          (local.set $a1 (i32x4.add (local.get $a1) (i32x4.dot_i16x8_s (local.get $x) (v128.load8x8_s (local.get $p1)))))
          (local.set $a2 (i32x4.add (local.get $a2) (i32x4.dot_i16x8_s (local.get $x) (v128.load8x8_s (local.get $p2)))))
          (local.set $a3 (i32x4.add (local.get $a3) (i32x4.dot_i16x8_s (local.get $x) (v128.load8x8_s (local.get $p3)))))
          (local.set $a0 (i32x4.add (local.get $a0) (i32x4.dot_i16x8_s (local.get $y) (v128.load8x8_s offset=8 (local.get $p0)))))
          (local.set $a1 (i32x4.add (local.get $a1) (i32x4.dot_i16x8_s (local.get $y) (v128.load8x8_s offset=8 (local.get $p1)))))
          (local.set $a2 (i32x4.add (local.get $a2) (i32x4.dot_i16x8_s (local.get $y) (v128.load8x8_s offset=8 (local.get $p2)))))
          (local.set $a3 (i32x4.add (local.get $a3) (i32x4.dot_i16x8_s (local.get $y) (v128.load8x8_s offset=8 (local.get $p3)))))
          (local.set $q (i32.add (local.get $q) (i32.const 32)))
          (local.set $p1 (i32.add (local.get $p1) (i32.const 16)))
          (local.set $p2 (i32.add (local.get $p2) (i32.const 16)))
          (local.set $p3 (i32.add (local.get $p3) (i32.const 16)))
          (br_if $codes (i32.ne (local.tee $p0 (i32.add (local.get $p0) (i32.const 16))) (local.get $end))))
        ;; a0 to a3, each four partial sums, become the four sums in a0.
        (local.set $x (i32x4.add
          (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $a0) (local.get $a1))
          (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $a0) (local.get $a1))))
        (local.set $y (i32x4.add
          (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $a2) (local.get $a3))
          (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $a2) (local.get $a3))))
        (local.set $a0 (i32x4.add
          (i8x16.shuffle 0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27 (local.get $x) (local.get $y))
          (i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31 (local.get $x) (local.get $y))))
        ;; The rows' last eight bytes: scales to a1, residuals to a2.
        (local.set $x (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23
          (v128.load64_zero (i32.sub (local.get $p0) (i32.const 8)))
          (v128.load64_zero (i32.sub (local.get $p1) (i32.const 8)))))
        (local.set $y (i8x16.shuffle 0 1 2 3 16 17 18 19 4 5 6 7 20 21 22 23
          (v128.load64_zero (i32.sub (local.get $p2) (i32.const 8)))
          (v128.load64_zero (i32.sub (local.get $p3) (i32.const 8)))))
        (local.set $a1 (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $x) (local.get $y)))
        (local.set $a2 (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $x) (local.get $y)))
        (local.set $a0 (f32x4.mul (f32x4.convert_i32x4_s (local.get $a0)) (local.get $a1)))
        (local.set $mask (i32x4.bitmask (f32x4.ge
          (f32x4.add (local.get $a0) (f32x4.mul (local.get $a2) (f32x4.splat (local.get $spread))))
          (f32x4.splat (local.get $floor)))))
        (if (local.get $mask)
          (then
            (local.set $mask (i32.and (local.get $mask) (local.get $some)))
            (local.set $out (call $keep (local.get $out) (local.get $mask) (local.get $a0)
              (local.get $r0) (local.get $r1) (local.get $r2) (local.get $r3)))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $four)))
    (local.get $out))

  ;; Rows of f32. A row is $stride bytes, a multiple of 16, zeros at its end; so is the query. Kept when
  ;; score >= $floor.
  (func (export "scanFloats")
        (param $query i32) (param $rows i32) (param $stride i32) (param $list i32) (param $first i32) (param $count i32)
        (param $floor f32) (param $out i32) (result i32)
    (local $i i32) (local $quarter i32) (local $some i32) (local $q i32) (local $end i32) (local $mask i32)
    (local $r0 i32) (local $r1 i32) (local $r2 i32) (local $r3 i32)
    (local $p0 i32) (local $p1 i32) (local $p2 i32) (local $p3 i32)
    (local $a0 v128) (local $a1 v128) (local $a2 v128) (local $a3 v128) (local $x v128) (local $y v128)
    (local.set $quarter (i32.shr_u (i32.add (local.get $count) (i32.const 3)) (i32.const 2)))
    (block $done
      (loop $four
        (br_if $done (i32.ge_u (local.get $i) (local.get $quarter)))
        (local.set $r0 (local.get $i))
        (local.set $r1 (i32.add (local.get $r0) (local.get $quarter)))
        (local.set $r2 (i32.add (local.get $r1) (local.get $quarter)))
        (local.set $r3 (i32.add (local.get $r2) (local.get $quarter)))
        (local.set $some (i32.const 15))
        ;; Beyond the end stands the first again, and $some says which of the four count.
        (if (i32.ge_u (local.get $r3) (local.get $count)) (then (local.set $r3 (local.get $r0)) (local.set $some (i32.const 7))))
        (if (i32.ge_u (local.get $r2) (local.get $count)) (then (local.set $r2 (local.get $r0)) (local.set $some (i32.const 3))))
        (if (i32.ge_u (local.get $r1) (local.get $count)) (then (local.set $r1 (local.get $r0)) (local.set $some (i32.const 1))))
        (if (local.get $list)
          (then
            (local.set $r0 (i32.load (i32.add (local.get $list) (i32.shl (local.get $r0) (i32.const 2)))))
            (local.set $r1 (i32.load (i32.add (local.get $list) (i32.shl (local.get $r1) (i32.const 2)))))
            (local.set $r2 (i32.load (i32.add (local.get $list) (i32.shl (local.get $r2) (i32.const 2)))))
            (local.set $r3 (i32.load (i32.add (local.get $list) (i32.shl (local.get $r3) (i32.const 2))))))
          (else
            (local.set $r0 (i32.add (local.get $r0) (local.get $first)))
            (local.set $r1 (i32.add (local.get $r1) (local.get $first)))
            (local.set $r2 (i32.add (local.get $r2) (local.get $first)))
            (local.set $r3 (i32.add (local.get $r3) (local.get $first)))))
        (local.set $p0 (i32.add (local.get $rows) (i32.mul (local.get $r0) (local.get $stride))))
        (local.set $p1 (i32.add (local.get $rows) (i32.mul (local.get $r1) (local.get $stride))))
        (local.set $p2 (i32.add (local.get $rows) (i32.mul (local.get $r2) (local.get $stride))))
        (local.set $p3 (i32.add (local.get $rows) (i32.mul (local.get $r3) (local.get $stride))))
        (local.set $end (i32.add (local.get $p0) (local.get $stride)))
        (local.set $q (local.get $query))
        (local.set $a0 (v128.const i64x2 0 0))
        (local.set $a1 (v128.const i64x2 0 0))
        (local.set $a2 (v128.const i64x2 0 0))
        (local.set $a3 (v128.const i64x2 0 0))
        (loop $numbers
          (local.set $x (v128.load (local.get $q)))
          (local.set $a0 (f32x4.add (local.get $a0) (f32x4.mul (local.get $x) (v128.load (local.get $p0)))))
          (local.set $a1 (f32x4.add (local.get $a1) (f32x4.mul (local.get $x) (v128.load (local.get $p1)))))
          (local.set $a2 (f32x4.add (local.get $a2) (f32x4.mul (local.get $x) (v128.load (local.get $p2)))))
          (local.set $a3 (f32x4.add (local.get $a3) (f32x4.mul (local.get $x) (v128.load (local.get $p3)))))
          (local.set $q (i32.add (local.get $q) (i32.const 16)))
          (local.set $p1 (i32.add (local.get $p1) (i32.const 16)))
          (local.set $p2 (i32.add (local.get $p2) (i32.const 16)))
          (local.set $p3 (i32.add (local.get $p3) (i32.const 16)))
          (br_if $numbers (i32.ne (local.tee $p0 (i32.add (local.get $p0) (i32.const 16))) (local.get $end))))
        (local.set $x (f32x4.add
          (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $a0) (local.get $a1))
          (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $a0) (local.get $a1))))
        (local.set $y (f32x4.add
          (i8x16.shuffle 0 1 2 3 4 5 6 7 16 17 18 19 20 21 22 23 (local.get $a2) (local.get $a3))
          (i8x16.shuffle 8 9 10 11 12 13 14 15 24 25 26 27 28 29 30 31 (local.get $a2) (local.get $a3))))
        (local.set $a0 (f32x4.add
          (i8x16.shuffle 0 1 2 3 8 9 10 11 16 17 18 19 24 25 26 27 (local.get $x) (local.get $y))
          (i8x16.shuffle 4 5 6 7 12 13 14 15 20 21 22 23 28 29 30 31 (local.get $x) (local.get $y))))
        (local.set $mask (i32x4.bitmask (f32x4.ge (local.get $a0) (f32x4.splat (local.get $floor)))))
        (if (local.get $mask)
          (then
            (local.set $mask (i32.and (local.get $mask) (local.get $some)))
            (local.set $out (call $keep (local.get $out) (local.get $mask) (local.get $a0)
              (local.get $r0) (local.get $r1) (local.get $r2) (local.get $r3)))))
        (local.set $i (i32.add (local.get $i) (i32.const 1)))
        (br $four)))
    (local.get $out))

  ;; Goes on with the checksum at $state, four accumulators of four u32 (64 bytes), over the bytes from $at to $end, a
  ;; multiple of 64: a = rotate(a xor x, 15) x P for each. Every step can be undone, so a change of a single word always
  ;; changes the sum. A SHA-256 takes six times as long.
  (func (export "checksum") (param $state i32) (param $at i32) (param $end i32)
    (local $a0 v128) (local $a1 v128) (local $a2 v128) (local $a3 v128) (local $x v128) (local $p v128)
    (local.set $p (v128.const i32x4 0x9e3779b1 0x85ebca77 0xc2b2ae3d 0x27d4eb2f))
    (local.set $a0 (v128.load (local.get $state)))
    (local.set $a1 (v128.load offset=16 (local.get $state)))
    (local.set $a2 (v128.load offset=32 (local.get $state)))
    (local.set $a3 (v128.load offset=48 (local.get $state)))
    (block $done
      (loop $words
        (br_if $done (i32.ge_u (local.get $at) (local.get $end)))
        (local.set $a0 (i32x4.mul (local.get $p) (v128.or
            (i32x4.shl (local.tee $x (v128.xor (local.get $a0) (v128.load offset=0 (local.get $at)))) (i32.const 15))
            (i32x4.shr_u (local.get $x) (i32.const 17)))))
        (local.set $a1 (i32x4.mul (local.get $p) (v128.or
            (i32x4.shl (local.tee $x (v128.xor (local.get $a1) (v128.load offset=16 (local.get $at)))) (i32.const 15))
            (i32x4.shr_u (local.get $x) (i32.const 17)))))
        (local.set $a2 (i32x4.mul (local.get $p) (v128.or
            (i32x4.shl (local.tee $x (v128.xor (local.get $a2) (v128.load offset=32 (local.get $at)))) (i32.const 15))
            (i32x4.shr_u (local.get $x) (i32.const 17)))))
        (local.set $a3 (i32x4.mul (local.get $p) (v128.or
            (i32x4.shl (local.tee $x (v128.xor (local.get $a3) (v128.load offset=48 (local.get $at)))) (i32.const 15))
            (i32x4.shr_u (local.get $x) (i32.const 17)))))
        (local.set $at (i32.add (local.get $at) (i32.const 64)))
        (br $words)))
    (v128.store (local.get $state) (local.get $a0))
    (v128.store offset=16 (local.get $state) (local.get $a1))
    (v128.store offset=32 (local.get $state) (local.get $a2))
    (v128.store offset=48 (local.get $state) (local.get $a3)))
)
