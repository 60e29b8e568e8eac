package kernels

import (
	"fmt"
	"reflect"
	"unsafe"
)

// plain carries values of a type without pointers between processes, which are
// the same program, as the bytes they have in memory.
type plain[V any] struct {
	bools []uintptr // offsets of bools, which have no more than two values
}

// newPlain returns an error that names the part of V that is, or holds, a
// pointer.
func newPlain[V any]() (plain[V], error) {
	var p plain[V]
	t := reflect.TypeFor[V]()
	if t.Size() > MaxPartial {
		return p, fmt.Errorf("%v has %d bytes, more than %d: put what is large into a file, and pass what tells it apart", t, t.Size(), MaxPartial)
	}
	err := p.check(t, t.String(), 0)
	return p, err
}

func (p *plain[V]) check(t reflect.Type, name string, offset uintptr) error {
	switch k := t.Kind(); {
	case k == reflect.Bool:
		p.bools = append(p.bools, offset)
	case k >= reflect.Int && k <= reflect.Uint64, k >= reflect.Float32 && k <= reflect.Complex128:
	case k == reflect.Array:
		elements := t.Len()
		if t.Elem().Size() == 0 {
			elements = min(elements, 1) // any number of them are alike
		}
		for i := range elements {
			if err := p.check(t.Elem(), fmt.Sprintf("%s[%d]", name, i), offset+uintptr(i)*t.Elem().Size()); err != nil {
				return err
			}
		}
	case k == reflect.Struct:
		for i := range t.NumField() {
			f := t.Field(i)
			if err := p.check(f.Type, name+"."+f.Name, offset+f.Offset); err != nil {
				return err
			}
		}
	default:
		return fmt.Errorf("%s is a %v, which is memory of one process and means nothing in another: use numbers, bools, and arrays and structs of them", name, t)
	}
	return nil
}

// size returns the bytes of a value.
func (p *plain[V]) size() int { return int(unsafe.Sizeof(*new(V))) }

// encode returns the bytes of a value.
func (p *plain[V]) encode(v V) []byte {
	return append([]byte(nil), unsafe.Slice((*byte)(unsafe.Pointer(&v)), p.size())...)
}

// decode returns the value of bytes, which may come from anywhere.
func (p *plain[V]) decode(b []byte) (v V, err error) {
	if len(b) != p.size() {
		return v, fmt.Errorf("%d bytes, want %d of a %T", len(b), p.size(), v)
	}
	own := unsafe.Slice((*byte)(unsafe.Pointer(&v)), p.size())
	for i, at := 0, 0; i < len(b); i++ {
		own[i] = b[i]
		if at < len(p.bools) && p.bools[at] == uintptr(i) {
			at++
			own[i] = boolByte(b[i] != 0)
		}
	}
	return v, nil
}

// aligned returns elements that lie where Go wants them: data itself, or a copy
// in scratch.
func aligned[T any](data []byte, scratch *[]T) []T {
	size := int(unsafe.Sizeof(*new(T)))
	if uintptr(unsafe.Pointer(unsafe.SliceData(data)))%unsafe.Alignof(*new(T)) == 0 {
		return view[T](data)
	}
	n := len(data) / size
	if cap(*scratch) < n {
		*scratch = make([]T, n)
	}
	copy(bytesView((*scratch)[:n]), data)
	return (*scratch)[:n]
}
