;; Which codes lie in a run, as one bit for each, and sets of such bits. 128-bit SIMD; addresses are multiples of 16.
;; Build: node shared/kernel/build.mjs
(module
  (memory (import "kernel" "memory") 1 65536)

  ;; Sets the bit of each code from $codes up to before $end, by 32 codes at a time, that is at least $from and at most
  ;; $from + $span. Codes of 8 bits; the next two do the same for 16 and 32.
  (func (export "mark8") (param $codes i32) (param $end i32) (param $from i32) (param $span i32) (param $bits i32)
    (local $low v128) (local $most v128)
    (local.set $low (i8x16.splat (local.get $from)))
    (local.set $most (i8x16.splat (local.get $span)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $codes) (local.get $end)))
        (i32.store (local.get $bits) (i32.or (i32.load (local.get $bits)) (i32.or
          (i8x16.bitmask
              (i8x16.le_u (i8x16.sub (v128.load (local.get $codes)) (local.get $low)) (local.get $most)))
          (i32.shl
            (i8x16.bitmask
              (i8x16.le_u (i8x16.sub (v128.load offset=16 (local.get $codes)) (local.get $low)) (local.get $most)))
            (i32.const 16)))))
        (local.set $bits (i32.add (local.get $bits) (i32.const 4)))
        (local.set $codes (i32.add (local.get $codes) (i32.const 32)))
        (br $next))))

  (func (export "mark16") (param $codes i32) (param $end i32) (param $from i32) (param $span i32) (param $bits i32)
    (local $low v128) (local $most v128)
    (local.set $low (i16x8.splat (local.get $from)))
    (local.set $most (i16x8.splat (local.get $span)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $codes) (local.get $end)))
        (i32.store (local.get $bits) (i32.or (i32.load (local.get $bits)) (i32.or
          (i8x16.bitmask (i8x16.narrow_i16x8_s
              (i16x8.le_u (i16x8.sub (v128.load (local.get $codes)) (local.get $low)) (local.get $most))
              (i16x8.le_u (i16x8.sub (v128.load offset=16 (local.get $codes)) (local.get $low)) (local.get $most))))
          (i32.shl
            (i8x16.bitmask (i8x16.narrow_i16x8_s
              (i16x8.le_u (i16x8.sub (v128.load offset=32 (local.get $codes)) (local.get $low)) (local.get $most))
              (i16x8.le_u (i16x8.sub (v128.load offset=48 (local.get $codes)) (local.get $low)) (local.get $most))))
            (i32.const 16)))))
        (local.set $bits (i32.add (local.get $bits) (i32.const 4)))
        (local.set $codes (i32.add (local.get $codes) (i32.const 64)))
        (br $next))))

  (func (export "mark32") (param $codes i32) (param $end i32) (param $from i32) (param $span i32) (param $bits i32)
    (local $low v128) (local $most v128)
    (local.set $low (i32x4.splat (local.get $from)))
    (local.set $most (i32x4.splat (local.get $span)))
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $codes) (local.get $end)))
        (i32.store (local.get $bits) (i32.or (i32.load (local.get $bits)) (i32.or
          (i8x16.bitmask (i8x16.narrow_i16x8_s
              (i16x8.narrow_i32x4_s
                (i32x4.le_u (i32x4.sub (v128.load (local.get $codes)) (local.get $low)) (local.get $most))
                (i32x4.le_u (i32x4.sub (v128.load offset=16 (local.get $codes)) (local.get $low)) (local.get $most)))
              (i16x8.narrow_i32x4_s
                (i32x4.le_u (i32x4.sub (v128.load offset=32 (local.get $codes)) (local.get $low)) (local.get $most))
                (i32x4.le_u (i32x4.sub (v128.load offset=48 (local.get $codes)) (local.get $low)) (local.get $most)))))
          (i32.shl
            (i8x16.bitmask (i8x16.narrow_i16x8_s
              (i16x8.narrow_i32x4_s
                (i32x4.le_u (i32x4.sub (v128.load offset=64 (local.get $codes)) (local.get $low)) (local.get $most))
                (i32x4.le_u (i32x4.sub (v128.load offset=80 (local.get $codes)) (local.get $low)) (local.get $most)))
              (i16x8.narrow_i32x4_s
                (i32x4.le_u (i32x4.sub (v128.load offset=96 (local.get $codes)) (local.get $low)) (local.get $most))
                (i32x4.le_u (i32x4.sub (v128.load offset=112 (local.get $codes)) (local.get $low)) (local.get $most)))))
            (i32.const 16)))))
        (local.set $bits (i32.add (local.get $bits) (i32.const 4)))
        (local.set $codes (i32.add (local.get $codes) (i32.const 128)))
        (br $next))))

  ;; Keeps of the bits from $a up to before $end those that are set at $b too.
  (func (export "and") (param $a i32) (param $end i32) (param $b i32)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $a) (local.get $end)))
        (v128.store (local.get $a) (v128.and (v128.load (local.get $a)) (v128.load (local.get $b))))
        (local.set $a (i32.add (local.get $a) (i32.const 16)))
        (local.set $b (i32.add (local.get $b) (i32.const 16)))
        (br $next))))

  ;; Sets of the bits from $a up to before $end those that are set at $b too.
  (func (export "or") (param $a i32) (param $end i32) (param $b i32)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $a) (local.get $end)))
        (v128.store (local.get $a) (v128.or (v128.load (local.get $a)) (v128.load (local.get $b))))
        (local.set $a (i32.add (local.get $a) (i32.const 16)))
        (local.set $b (i32.add (local.get $b) (i32.const 16)))
        (br $next))))

  ;; Writes the places of the set bits from $bits up to before $end, ascending, the first bit's being $first, to $out as
  ;; u32; returns where it ends.
  (func (export "places") (param $bits i32) (param $end i32) (param $first i32) (param $out i32) (result i32)
    (local $word i64)
    (block $done
      (loop $next
        (br_if $done (i32.ge_u (local.get $bits) (local.get $end)))
        (local.set $word (i64.load (local.get $bits)))
        (block $empty
          (loop $bit
            (br_if $empty (i64.eqz (local.get $word)))
            (i32.store (local.get $out)
              (i32.add (local.get $first) (i32.wrap_i64 (i64.ctz (local.get $word)))))
            (local.set $out (i32.add (local.get $out) (i32.const 4)))
            (local.set $word (i64.and (local.get $word) (i64.sub (local.get $word) (i64.const 1))))
            (br $bit)))
        (local.set $first (i32.add (local.get $first) (i32.const 64)))
        (local.set $bits (i32.add (local.get $bits) (i32.const 8)))
        (br $next)))
    (local.get $out)))
