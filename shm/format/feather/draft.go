package feather

import (
	"fmt"
	"math"
	"slices"

	"github.com/gangsaw/gangsaw/kernels"
	"github.com/gangsaw/gangsaw/shm/format"
)

const (
	magic = "ARROW1"
	// align is what metadata and elements begin at a multiple of.
	align = 64
	// batchRows is how many rows a batch has at least, if there are as many.
	batchRows = 64 * kernels.BlockLen
	// mostBatches is how many there are at most.
	mostBatches = 4096
)

// Draft returns a file with columns of those names and types, which have one axis and
// one length.
func Draft(arrays []format.Array) (*format.Draft, error) {
	for _, a := range arrays {
		switch {
		case a.Type == kernels.BFloat16:
			return nil, fmt.Errorf("arrow has no bfloat16, which %q is: cast it, by float32(...) say", a.Name)
		case len(a.Shape) != 1:
			return nil, fmt.Errorf("a column has one axis, and %q has the shape %s: write it to .npy, .npz or .safetensors, or slice it", a.Name, a.ShapeString())
		case a.Shape[0] != arrays[0].Shape[0]:
			return nil, fmt.Errorf("columns have one length, and %q has %d elements and %q %d: write them to .npz or .safetensors", arrays[0].Name, arrays[0].Shape[0], a.Name, a.Shape[0])
		}
		if err := a.Check("arrow", math.MaxInt64); err != nil {
			return nil, err
		}
	}
	return newDraft(arrays), nil
}

// newDraft lays out columns that the format has.
func newDraft(arrays []format.Array) *format.Draft {
	rows := arrays[0].Shape[0]
	length := int64(batchRows)
	for rows/length >= mostBatches {
		length *= 2
	}
	d := &format.Draft{
		Arrays: slices.Clone(arrays), Bits: true,
		Batches: &format.Batches{Length: length, Count: rows / length, Rest: make([]int64, len(arrays))},
	}
	put := func(b []byte) {
		d.Fixed = append(d.Fixed, format.Patch{Offset: d.Size, Bytes: b})
		d.Size += int64(len(b))
	}
	put([]byte(magic + "\x00\x00"))
	put(message(d.Size, schemaMessage, schema(arrays), 0))
	var batches []batch
	for from := int64(0); from < rows; from += length {
		n := min(length, rows-from)
		b := batch{at: d.Size, body: bodySize(arrays, n)}
		put(message(b.at, batchMessage, record(arrays, n), b.body))
		b.metadata = d.Size - b.at
		for i, a := range arrays {
			if from == 0 {
				d.Arrays[i].Offset = d.Size
			}
			if n < length {
				d.Batches.Rest[i] = d.Size
			}
			d.Size += columnSize(a, n)
		}
		batches = append(batches, b)
	}
	if len(batches) > 1 {
		d.Batches.Stride = batches[1].at - batches[0].at
	}
	put(footer(arrays, batches))
	return d
}

// elementBytes returns how many bytes n elements take.
func elementBytes(a format.Array, n int64) int64 {
	if a.Type == kernels.Bool {
		return (n + 7) / 8
	}
	return n * int64(a.Type.Size())
}

// columnSize returns how many bytes n elements take with what follows them.
func columnSize(a format.Array, n int64) int64 {
	return (elementBytes(a, n) + align - 1) / align * align
}

func bodySize(arrays []format.Array, n int64) (size int64) {
	for _, a := range arrays {
		size += columnSize(a, n)
	}
	return size
}
