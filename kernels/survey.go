package kernels

import (
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"math"
	"slices"
)

// Survey is what one pass over an array of one type finds out, all at once: its
// moments, a sample, and how many elements lie between given numbers, of which some
// are kept. A survey without cuts counts nothing.
//
// Numbers are stated as keys, which have the order of the elements: see [Surveyed].
type Survey struct {
	Moments bool
	Sample  int // elements of every chunk, if there are no cuts, at places that depend on nothing but its number
	// Cuts are ascending keys. Interval i holds the elements from Cuts[i-1] on and
	// below Cuts[i].
	Cuts []uint64
	Keep []bool // of each interval, one more than cuts: whether its keys are kept
	// The elements are told apart first by x*Scale+Shift, cut to the numbers of
	// surveyCells cells. It does not change what is found.
	Scale, Shift float64
	// Common is the key of an element that there are many of. It does not change what
	// is found either.
	Common uint64
	// Columns, if not 0, has the moments of each of so many columns found out, and
	// nothing else: see ColumnGroup.
	Columns int
}

const (
	// MaxCuts bounds the cuts, so that what is found in a chunk, of no more than
	// MaxSurveyed elements, fits into a result.
	MaxCuts     = 4400
	MaxSurveyed = 1 << 26
	// MaxSample bounds the sample of a chunk for the same reason: a survey counts, or
	// it takes a sample.
	MaxSample = 1900
	// surveyCells is how many cells there are: as many as four tables of 16-bit
	// counters in the nearest cache.
	surveyCells = 2048
)

// Check returns what is wrong with a survey, which may come from another process.
func (s *Survey) Check() error {
	switch {
	case s.Sample < 0 || s.Sample > MaxSample:
		return fmt.Errorf("survey with a sample of %d elements a chunk, want 0 to %d", s.Sample, MaxSample)
	case s.Columns < 0 || s.Columns > 0 && (s.Moments || s.Sample > 0 || len(s.Cuts) > 0):
		return fmt.Errorf("survey of %d columns, and of more", s.Columns)
	case s.Sample > 0 && len(s.Cuts) > 0:
		return errors.New("survey that counts and takes a sample")
	case len(s.Cuts) > MaxCuts || len(s.Cuts) > 0 && len(s.Keep) != len(s.Cuts)+1 || len(s.Cuts) == 0 && len(s.Keep) > 0:
		return fmt.Errorf("survey of %d cuts and %d intervals, want up to %d cuts", len(s.Cuts), len(s.Keep), MaxCuts)
	case !finite(s.Shift) || !finite(s.Scale) || s.Scale < 0:
		return fmt.Errorf("survey of cells x*%v%+v", s.Scale, s.Shift)
	}
	for i := 1; i < len(s.Cuts); i++ {
		if s.Cuts[i-1] >= s.Cuts[i] {
			return fmt.Errorf("survey whose cuts %d and %d do not ascend", i-1, i)
		}
	}
	return nil
}

// Keeps reports whether anything is kept.
func (s *Survey) Keeps() bool { return slices.Contains(s.Keep, true) }

// Encode returns the survey's bytes.
func (s *Survey) Encode() []byte {
	b := make([]byte, 8*(7+len(s.Cuts))+len(s.Keep))
	w := &words{bytes: b}
	w.put(uint64(boolByte(s.Moments)))
	w.put(uint64(s.Sample))
	w.putFloat(s.Scale)
	w.putFloat(s.Shift)
	w.put(s.Common)
	w.put(uint64(s.Columns))
	w.put(uint64(len(s.Cuts)))
	for _, c := range s.Cuts {
		w.put(c)
	}
	for i, k := range s.Keep {
		w.bytes[i] = boolByte(k)
	}
	return b
}

// DecodeSurvey reads an encoded survey.
func DecodeSurvey(b []byte) (*Survey, error) {
	if len(b) < 7*8 {
		return nil, fmt.Errorf("survey of %d bytes", len(b))
	}
	r := &words{bytes: b}
	s := &Survey{Moments: r.get() != 0, Sample: int(min(r.get(), MaxSample+1)), Scale: r.getFloat(), Shift: r.getFloat(), Common: r.get(), Columns: int(min(r.get(), maxCount))}
	n := r.get()
	want := 0
	if n > 0 {
		want = int(min(n, MaxCuts+1))*9 + 1
	}
	if len(r.bytes) != want {
		return nil, fmt.Errorf("survey of %d cuts in %d bytes", n, len(b))
	}
	for range n {
		s.Cuts = append(s.Cuts, r.get())
	}
	for _, k := range r.bytes {
		s.Keep = append(s.Keep, k != 0)
	}
	return s, s.Check()
}

// Surveyed is what a survey found in some chunk.
type Surveyed struct {
	Moments Moments
	Sample  []uint64 // keys
	Counts  []uint64 // of each interval
	// Kept says where the keys of this chunk's kept intervals lie, one interval after
	// another, if they did not overflow.
	Kept     uint64
	Overflow bool
	Checksum uint32 // of their bytes
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// KeptChecksum returns the checksum of kept keys that follow those of the sum.
func KeptChecksum(sum uint32, keys []uint64) uint32 {
	return crc32.Update(sum, castagnoli, bytesView(keys))
}

// AppendKeys appends the keys in bytes.
func AppendKeys(dst []uint64, b []byte) []uint64 {
	n := len(dst)
	dst = slices.Grow(dst, len(b)/8)[:n+len(b)/8]
	copy(bytesView(dst[n:]), b)
	return dst
}

// encode appends what was found in a chunk.
func (s *Survey) encode(dst []byte, f *Surveyed) []byte {
	if s.Moments {
		at := len(dst)
		dst = append(dst, make([]byte, DescribeMoments.partialSize)...)
		encodeMoments(f.Moments, &words{bytes: dst[at:]})
	}
	if s.Sample > 0 {
		dst = binary.AppendUvarint(dst, uint64(len(f.Sample)))
		for _, key := range f.Sample {
			dst = binary.LittleEndian.AppendUint64(dst, key)
		}
	}
	for _, n := range f.Counts {
		dst = binary.AppendUvarint(dst, n)
	}
	if s.Keeps() {
		dst = binary.LittleEndian.AppendUint64(dst, f.Kept)
		dst = binary.LittleEndian.AppendUint32(dst, f.Checksum)
	}
	return dst
}

// lost stands for where keys lie that found no room.
const lost = math.MaxUint64

// Decode reads what was found in a chunk of so many elements, and refuses what
// cannot be.
func (s *Survey) Decode(t Type, elements uint64, b []byte) (*Surveyed, error) {
	f := &Surveyed{}
	bad := func(what string, args ...any) (*Surveyed, error) {
		return nil, fmt.Errorf("survey of %d elements: %s", elements, fmt.Sprintf(what, args...))
	}
	if s.Moments {
		size := DescribeMoments.partialSize
		if len(b) < size {
			return bad("%d bytes", len(b))
		}
		var err error
		if f.Moments, err = decodeMoments(t, &words{bytes: b[:size]}); err != nil {
			return bad("%v", err)
		}
		if f.Moments.count != elements {
			return bad("moments of %d", f.Moments.count)
		}
		b = b[size:]
	}
	if s.Sample > 0 {
		n, k := binary.Uvarint(b)
		if k <= 0 || n != min(uint64(s.Sample), elements) || uint64(len(b)-k) < 8*n {
			return bad("a sample of %d elements in %d bytes", n, len(b))
		}
		for b = b[k:]; n > 0; n-- {
			f.Sample = append(f.Sample, binary.LittleEndian.Uint64(b))
			b = b[8:]
		}
	}
	total := uint64(0)
	if len(s.Cuts) > 0 {
		f.Counts = make([]uint64, len(s.Keep))
		for i := range f.Counts {
			n, k := binary.Uvarint(b)
			if k <= 0 || n > elements-total {
				return bad("a count of %d in interval %d", n, i)
			}
			f.Counts[i], b = n, b[k:]
			total += n
		}
		if total != elements {
			return bad("counts of %d", total)
		}
	}
	if s.Keeps() {
		if len(b) != 12 {
			return bad("%d bytes in the end", len(b))
		}
		f.Kept, f.Checksum = binary.LittleEndian.Uint64(b), binary.LittleEndian.Uint32(b[8:])
		f.Overflow, b = f.Kept == lost, nil
	}
	if len(b) > 0 {
		return bad("%d bytes too many", len(b))
	}
	return f, nil
}
