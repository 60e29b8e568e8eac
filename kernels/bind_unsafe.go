package kernels

import (
	"sync"
	"unsafe"
)

// view returns the memory of whole elements.
func view[T any](b []byte) []T {
	if len(b) < int(unsafe.Sizeof(*new(T))) {
		return nil
	}
	return unsafe.Slice((*T)(unsafe.Pointer(unsafe.SliceData(b))), len(b)/int(unsafe.Sizeof(*new(T))))
}

// bytesView returns the memory of elements.
func bytesView[T any](xs []T) []byte {
	return unsafe.Slice((*byte)(unsafe.Pointer(unsafe.SliceData(xs))), len(xs)*int(unsafe.Sizeof(*new(T))))
}

// stride bounds the elements of one call: assembly cannot be preempted.
const stride = 1 << 16

// operand is one operand of a call.
type operand[T any] struct {
	elems  []T
	single bool // elems is one element, repeated to a vector
	step   int  // bytes from one vector to the next
}

func operandOf[T any](b []byte, n, lanes int, r *repeats) operand[T] {
	elems := view[T](b)
	if len(elems) == 1 && n != 1 {
		vector := view[T](r.next())[:lanes]
		for i := range vector {
			vector[i] = elems[0]
		}
		return operand[T]{elems: vector, single: true}
	}
	return operand[T]{elems: elems[:n], step: lanes * int(unsafe.Sizeof(*new(T)))}
}

// repeats holds the vectors of a call's operands of one element. As assembly is
// called by way of a variable, what it is given lies on the heap: that memory is
// used again.
type repeats struct {
	memory *[maxOperands][maxVector / 8]uint64 // nil until it is asked for
	used   int
}

// maxVector is the bytes of the longest vector.
const maxVector = 64

var repeatsMemory = sync.Pool{New: func() any { return new([maxOperands][maxVector / 8]uint64) }}

// next returns memory for one vector.
func (r *repeats) next() []byte {
	if r.memory == nil {
		r.memory = repeatsMemory.Get().(*[maxOperands][maxVector / 8]uint64)
	}
	r.used++
	return bytesView(r.memory[r.used-1][:])
}

// free gives the memory back.
func (r *repeats) free() {
	if r.memory != nil {
		repeatsMemory.Put(r.memory)
	}
}

// at returns where a vector from element i begins.
func (o *operand[T]) at(i int) *T {
	if o.single {
		i = 0
	}
	return &o.elems[i]
}

// from returns the elements i up to j.
func (o *operand[T]) from(i, j int) []T {
	if o.single {
		return o.elems[:1]
	}
	return o.elems[i:j]
}

// onScalar makes every tier do what portable code does.
func onScalar(r run) run {
	for tier := range r {
		r[tier] = r[Scalar]
	}
	return r
}

func bind1[R, A any](portable func([]R, []A), v *vectors[asm1[R, A]]) (r run) {
	r[Scalar] = func(dst, a, _, _ []byte) { portable(view[R](dst), view[A](a)) }
	if v == nil {
		return onScalar(r)
	}
	assembled := func(f asm1[R, A], lanes int) func(dst, a, b, c []byte) {
		return func(d, a, _, _ []byte) {
			dst := view[R](d)
			n := len(dst)
			var r repeats
			x := operandOf[A](a, n, lanes, &r)
			for i := 0; i < n; {
				i += f(&dst[i], x.at(i), x.step, min(n-i, stride))
				// A vector that bailed out, the tail, or the next after a stride.
				j := min(i+lanes, n)
				portable(dst[i:j], x.from(i, j))
				i = j
			}
			r.free()
		}
	}
	r[AVX2], r[AVX512] = assembled(v.avx2, v.avx2Lanes), assembled(v.avx512, v.avx512Lanes)
	return r
}

func bind2[R, A, B any](portable func([]R, []A, []B), v *vectors[asm2[R, A, B]]) (r run) {
	r[Scalar] = func(dst, a, b, _ []byte) { portable(view[R](dst), view[A](a), view[B](b)) }
	if v == nil {
		return onScalar(r)
	}
	assembled := func(f asm2[R, A, B], lanes int) func(dst, a, b, c []byte) {
		return func(d, a, b, _ []byte) {
			dst := view[R](d)
			n := len(dst)
			var r repeats
			x := operandOf[A](a, n, lanes, &r)
			y := operandOf[B](b, n, lanes, &r)
			for i := 0; i < n; {
				i += f(&dst[i], x.at(i), y.at(i), x.step, y.step, min(n-i, stride))
				j := min(i+lanes, n)
				portable(dst[i:j], x.from(i, j), y.from(i, j))
				i = j
			}
			r.free()
		}
	}
	r[AVX2], r[AVX512] = assembled(v.avx2, v.avx2Lanes), assembled(v.avx512, v.avx512Lanes)
	return r
}

func bind3[R, A, B, C any](portable func([]R, []A, []B, []C), v *vectors[asm3[R, A, B, C]]) (r run) {
	r[Scalar] = func(dst, a, b, c []byte) { portable(view[R](dst), view[A](a), view[B](b), view[C](c)) }
	if v == nil {
		return onScalar(r)
	}
	assembled := func(f asm3[R, A, B, C], lanes int) func(dst, a, b, c []byte) {
		return func(d, a, b, c []byte) {
			dst := view[R](d)
			n := len(dst)
			var r repeats
			x := operandOf[A](a, n, lanes, &r)
			y := operandOf[B](b, n, lanes, &r)
			z := operandOf[C](c, n, lanes, &r)
			for i := 0; i < n; {
				i += f(&dst[i], x.at(i), y.at(i), z.at(i), x.step, y.step, z.step, min(n-i, stride))
				j := min(i+lanes, n)
				portable(dst[i:j], x.from(i, j), y.from(i, j), z.from(i, j))
				i = j
			}
			r.free()
		}
	}
	r[AVX2], r[AVX512] = assembled(v.avx2, v.avx2Lanes), assembled(v.avx512, v.avx512Lanes)
	return r
}
