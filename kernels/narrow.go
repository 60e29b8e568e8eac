package kernels

import "math"

// isNarrow tells integers of 8 and 16 bits, of which a block's sums and sums of
// squares are exact in 64 bits.
func isNarrow(t Type) bool { return !t.IsFloat() && t.Size() <= 2 }

// narrowSums are of a block of such integers.
type narrowSums struct {
	count        int64
	sum, squares int64
	least, most  int64
}

// narrow folds a block as it is packed in 64-bit words.
func (f *blockFold) narrow(t Type, block []byte) narrowSums {
	packed := len(block) &^ 7
	s := narrowSums{count: int64(packed / t.Size()), least: math.MaxInt64, most: math.MinInt64}
	if packed > 0 {
		if t.Size() == 1 {
			f.scanBytes(&s, t, block[:packed])
		} else {
			f.scanWords(&s, t, block[:packed])
		}
	}
	for i := packed / t.Size(); i < len(block)/t.Size(); i++ {
		v := int64(integerElement(block, t, i))
		s.count++
		s.sum += v
		s.squares += v * v
		s.least, s.most = min(s.least, v), max(s.most, v)
	}
	return s
}

func (f *blockFold) scanBytes(s *narrowSums, t Type, block []byte) {
	const turned = 128 // by so much signed bytes become unsigned
	flip, off := uint64(0), int64(0)
	if t.IsSigned() {
		flip, off = 0x8080808080808080, turned
	}
	scanBytesFolds[Uint64].run(f.states[:], block, flip, 0)
	squares := f.word(1)
	s.turned(int64(f.word(0)), int64(squares&math.MaxUint32+squares>>32), off)
	for shift := 0; shift < 64; shift += 8 {
		s.least = min(s.least, int64(uint8(f.word(2)>>shift))-off)
		s.most = max(s.most, int64(uint8(f.word(3)>>shift))-off)
	}
}

func (f *blockFold) scanWords(s *narrowSums, t Type, block []byte) {
	const turned = 1 << 15 // by so much unsigned words become signed
	flip, off := uint64(0), int64(0)
	if !t.IsSigned() {
		flip, off = 0x8000800080008000, -turned
	}
	scanWordsFolds[Uint64].run(f.states[:], block, flip, 0)
	s.turned(halves(f.word(0)), int64(f.word(1)), off)
	for shift := 0; shift < 64; shift += 16 {
		s.least = min(s.least, int64(int16(f.word(2)>>shift))-off)
		s.most = max(s.most, int64(int16(f.word(3)>>shift))-off)
	}
}

// halves returns the sum of the signed halves of a word.
func halves(word uint64) int64 { return int64(int32(word)) + int64(word)>>32 }

// turned sets the sums to those of elements that all were greater by off.
func (s *narrowSums) turned(sum, squares, off int64) {
	s.sum = sum - s.count*off
	s.squares = squares - 2*off*sum + s.count*off*off
}

// summary returns the summary of the block. Squares are those of deviations from the
// mean of its first row, cut off, as for wider integers, but exact.
func (s narrowSums) summary(t Type, block []byte) Summary {
	row := firstRow(t, block)
	pivot := narrowSum(t, row) / int64(len(row)/t.Size())
	squares := s.squares - 2*pivot*s.sum + s.count*pivot*pivot
	rest := float64(s.sum - s.count*pivot)
	return Summary{
		Total: s.total(t), min: uint64(s.least), max: uint64(s.most),
		m2: max(0, float64(squares)-float64(rest*rest)/float64(s.count)),
	}
}

// total returns the total of the block.
func (s narrowSums) total(t Type) Total {
	return Total{typ: t, count: uint64(s.count), isum: int128{s.sum >> 63, uint64(s.sum)}}
}

// narrowSum returns the sum of a few elements.
func narrowSum(t Type, elements []byte) (sum int64) {
	switch t {
	case Int8:
		for _, v := range elements {
			sum += int64(int8(v))
		}
	case Uint8:
		for _, v := range elements {
			sum += int64(v)
		}
	case Int16:
		for _, v := range view[int16](elements) {
			sum += int64(v)
		}
	case Uint16:
		for _, v := range view[uint16](elements) {
			sum += int64(v)
		}
	}
	return sum
}

// byteMoments returns the moments of a block, whose sums of powers are exact.
func (f *blockFold) byteMoments(t Type, block []byte) Moments {
	sums := f.narrow(t, block)
	m := Moments{Summary: sums.summary(t, block)}
	if m.m2 == 0 {
		return m
	}
	n := sums.count
	flip, off := uint64(0), int64(0)
	if !t.IsSigned() {
		flip, off = 0x8080808080808080, 128 // by so much unsigned bytes become signed
	}
	var cubes, fourths int64
	packed := len(block) &^ 7
	if packed > 0 {
		powersBytesFolds[Uint64].run(f.states[:], block[:packed], flip, 0)
		cubes, fourths = int64(f.word(0))-int64(packed)<<21, int64(f.word(1))
	}
	for i := packed; i < len(block); i++ {
		v := int64(integerElement(block, t, i)) - off
		cubes += v * v * v
		fourths += v * v * v * v
	}
	// From what was taken off to a pivot.
	sum, squares := sums.sum-n*off, sums.squares-2*off*sums.sum+n*off*off
	p := int64(m.pivot(m.sum().over(float64(n)).hi)) - off
	d1 := sum - n*p
	d2 := squares - 2*p*sum + n*p*p
	d3 := cubes - 3*p*squares + 3*p*p*sum - n*p*p*p
	d4 := fourths - 4*p*cubes + 6*p*p*squares - 4*p*p*p*sum + n*p*p*p*p
	return m.around(float64(d1)/float64(n), float64(d2), float64(d3), float64(d4))
}

// magnitudes returns the sum of the magnitudes of a block whose sums are known.
func (f *blockFold) magnitudes(t Type, block []byte, s narrowSums) int64 {
	if !t.IsSigned() {
		return s.sum
	}
	// Of bytes the sum, of words that of what is positive.
	total, packed := int64(0), len(block)&^7
	switch {
	case packed == 0:
	case t.Size() == 1:
		magnitudesBytesFolds[Uint64].run(f.states[:], block[:packed], 0, 0)
		total = int64(f.word(0))
	default:
		magnitudesWordsFolds[Uint64].run(f.states[:], block[:packed], 0, 0)
		total = halves(f.word(0))
	}
	for i := packed / t.Size(); i < len(block)/t.Size(); i++ {
		v := int64(integerElement(block, t, i))
		if t.Size() == 1 {
			v = max(v, -v)
		}
		total += max(v, 0)
	}
	if t.Size() == 1 {
		return total
	}
	return 2*total - s.sum
}
