package kernels

import (
	"errors"
	"math"
	"math/bits"
	"slices"
)

// Surveyor does a survey chunk by chunk. It is not safe for concurrent use.
type Surveyor struct {
	survey  *Survey
	typ     Type
	moments *treeFolder[Moments]
	counter surveyCounter // nil: nothing is counted
	found   Surveyed
	kept    [][]uint64 // keys of each interval that is kept
	result  []byte

	gathered []byte // some columns, one after another
	fold     *blockFold
}

// surveyCounter counts elements by interval.
type surveyCounter interface {
	// block takes in a block of elements.
	block(s *Surveyor, block []byte)
	// flush adds what is not in the counts yet.
	flush(s *Surveyor)
}

// NewSurveyor returns what does the survey, which must be in order, of elements of
// type t.
func (s *Survey) NewSurveyor(t Type) *Surveyor {
	r := &Surveyor{survey: s, typ: t, kept: make([][]uint64, len(s.Keep))}
	r.found.Counts = make([]uint64, len(s.Keep))
	if s.Moments {
		r.moments = DescribeMoments.newFolder(t).(*treeFolder[Moments])
	}
	switch {
	case len(s.Cuts) == 0:
	case t.Size() <= 2:
		r.counter = newPatternCounter(s, t)
	default:
		r.counter = newCellCounter(s, t)
	}
	return r
}

// Chunk surveys the elements of a chunk, not empty, where they lie. It calls room
// for where to put that many bytes of kept keys, if there are any: it returns the
// memory, and by what number the supervisor finds it, or nil if there is none left.
// The result is valid until the next call.
func (r *Surveyor) Chunk(chunk uint64, data []byte, progress func(done int), room func(bytes int) ([]byte, uint64)) ([]byte, error) {
	if r.survey.Columns > 0 {
		return r.columns(chunk, data, progress)
	}
	size := r.typ.Size()
	return r.Blocks(chunk, len(data)/size, func(at, k int) []byte { return data[at*size:][:k*size] }, progress, room)
}

// Blocks is [Surveyor.Chunk] of so many elements, of which block returns k from one on,
// valid until its next call. The survey is none of columns.
func (r *Surveyor) Blocks(chunk uint64, elements int, block func(at, k int) []byte, progress func(done int), room func(bytes int) ([]byte, uint64)) ([]byte, error) {
	if r.survey.Columns > 0 {
		return nil, errors.New("survey of columns, by blocks")
	}
	r.found = Surveyed{Sample: r.found.Sample[:0], Counts: r.found.Counts}
	clear(r.found.Counts)
	for i := range r.kept {
		r.kept[i] = r.kept[i][:0]
	}
	if r.moments != nil {
		r.moments.Reset()
	}
	size := r.typ.Size()
	places := samplePlaces(chunk, elements, r.survey.Sample)
	for at := 0; at < elements; {
		k := min(BlockLen, elements-at)
		b := block(at, k)
		if r.moments != nil {
			r.moments.Blocks(b)
		}
		for ; len(places) > 0 && places[0] < at+k; places = places[1:] {
			r.found.Sample = append(r.found.Sample, elementKey(r.typ, b, places[0]-at))
		}
		if r.counter != nil {
			r.counter.block(r, b)
		}
		at += k
		progress(at * size)
	}
	if r.moments != nil {
		r.found.Moments, _ = r.moments.tree.root()
	}
	if r.counter != nil {
		r.counter.flush(r)
	}
	if r.survey.Keeps() {
		r.store(room)
	}
	r.result = r.survey.encode(r.result[:0], &r.found)
	return r.result, nil
}

// store puts the kept keys where there is room.
func (r *Surveyor) store(room func(bytes int) ([]byte, uint64)) {
	n := 0
	for _, keys := range r.kept {
		n += len(keys)
	}
	if n == 0 {
		return
	}
	to, at := room(8 * n)
	if to == nil {
		r.found.Kept = lost
		return
	}
	r.found.Kept = at
	for _, keys := range r.kept {
		to = to[copy(to, bytesView(keys)):]
		r.found.Checksum = KeptChecksum(r.found.Checksum, keys)
	}
}

// samplePlaces returns the elements of a chunk that are in the sample: one of each
// of k stretches of it, by a hash, so that no period of the data can hide.
func samplePlaces(chunk uint64, n, k int) []int {
	k = min(n, k)
	places := make([]int, k)
	for i := range places {
		from, to := scaled(n, i, k), scaled(n, i+1, k)
		places[i] = from + int(hash(chunk<<16+uint64(i))%uint64(to-from))
	}
	return places
}

// scaled returns n*i/k.
func scaled(n, i, k int) int {
	hi, lo := bits.Mul64(uint64(n), uint64(i))
	q, _ := bits.Div64(hi, lo, uint64(k))
	return int(q)
}

// hash mixes bits (the finaliser of splitmix64).
func hash(x uint64) uint64 {
	x += 0x9e3779b97f4a7c15
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

// elementKey returns the key of element i.
func elementKey(t Type, block []byte, i int) uint64 {
	switch {
	case t.IsFloat():
		return keyOfFloat(floatElement(block, t, i))
	case t.IsSigned():
		return integerElement(block, t, i) ^ signBit
	}
	return integerElement(block, t, i)
}

// patternCounter counts elements of up to 16 bits: by their bits first.
type patternCounter struct {
	interval []int32  // of each pattern
	keys     []uint64 // of each pattern
	tables   [2][]uint32
}

func newPatternCounter(s *Survey, t Type) *patternCounter {
	n := 1 << (8 * t.Size())
	c := &patternCounter{interval: make([]int32, n), keys: make([]uint64, n), tables: [2][]uint32{make([]uint32, n), make([]uint32, n)}}
	elem := make([]byte, t.Size())
	for i := range n {
		putElement(elem, t, uint64(i))
		c.keys[i] = elementKey(t, elem, 0)
		c.interval[i] = int32(intervalOf(s.Cuts, c.keys[i]))
	}
	return c
}

// intervalOf returns how many cuts are not above a key.
func intervalOf(cuts []uint64, key uint64) int {
	i, found := slices.BinarySearch(cuts, key)
	if found {
		i++
	}
	return i
}

// block counts each pattern in one of two tables, so that equal neighbours do not
// wait for one another. Chunks have less elements than counters hold.
func (c *patternCounter) block(r *Surveyor, block []byte) {
	if r.typ.Size() == 1 {
		countPatterns(c.tables[0], c.tables[1], view[uint8](block))
	} else {
		countPatterns(c.tables[0], c.tables[1], view[uint16](block))
	}
}

func countPatterns[T uint8 | uint16](a, b []uint32, xs []T) {
	for len(xs) >= 2 {
		a[xs[0]]++
		b[xs[1]]++
		xs = xs[2:]
	}
	if len(xs) > 0 {
		a[xs[0]]++
	}
}

func (c *patternCounter) flush(r *Surveyor) {
	for i, interval := range c.interval {
		n := c.tables[0][i] + c.tables[1][i]
		if n == 0 {
			continue
		}
		r.found.Counts[interval] += uint64(n)
		if r.survey.Keep[interval] {
			for range n {
				r.kept[interval] = append(r.kept[interval], c.keys[i])
			}
		}
	}
	clear(c.tables[0])
	clear(c.tables[1])
}

// surveyTile is how many elements are put into cells at once: they and the tables
// stay in the nearest cache.
const surveyTile = 1024

// cellCounter counts elements of 32 and 64 bits. What a cell holds that no cut goes
// through is counted unseen; the others are looked at one by one.
type cellCounter struct {
	tables [4][surveyCells]uint16
	blocks int // in the tables

	apart [surveyCells]uint8 // 1: elements of this cell are looked at
	// Of each cell, the cuts from..to that go through it, or, if none does, in from the
	// interval; of one or none, what below reads: a cut, and the interval above it.
	from, to [surveyCells]int32
	cut      [surveyCells]uint64
	above    [surveyCells]int32
	hard     [surveyCells]uint8 // 1: there are more cuts, or elements may be kept

	common      int  // the interval of the common key
	countCommon bool // which is not kept

	scale, shift []byte // single operands
	scratch      blockFold
	cells        [surveyTile]uint16
	aparts       [2 * surveyTile]uint16 // which elements are
	keys         [surveyTile]uint64
	rest         [2 * surveyTile]uint16 // of those, which are in a hard cell
}

var cellOf, _ = LookupElementwise("cell", Float64, Float64, Float64)

func newCellCounter(s *Survey, t Type) *cellCounter {
	c := &cellCounter{
		common: intervalOf(s.Cuts, s.Common),
		scale:  bytesView([]float64{s.Scale}), shift: bytesView([]float64{s.Shift}),
	}
	c.countCommon = !s.Keep[c.common]
	// Cells of cuts, by the very function that elements take. A cut at NaN lies in
	// none: NaN are in cell 0, all of whose elements are looked at.
	of := make([]int, len(s.Cuts))
	for i, cut := range s.Cuts {
		of[i] = surveyCells
		if f := keyFloat(t, cut); f == f {
			of[i] = int(c.put(bytesView([]float64{f}))[0])
		} else if cut < signBit {
			of[i] = 0
		}
	}
	for cell := range surveyCells {
		lo, _ := slices.BinarySearch(of, cell)
		hi, _ := slices.BinarySearch(of, cell+1)
		if cell == 0 {
			lo, hi = 0, len(s.Cuts)
		}
		c.from[cell], c.to[cell] = int32(lo), int32(hi)
		c.apart[cell] = boolByte(lo != hi || s.Keep[lo])
		c.above[cell] = int32(hi)
		if hi > lo {
			c.cut[cell] = s.Cuts[lo]
		}
		c.hard[cell] = boolByte(hi > lo+1 || slices.Contains(s.Keep[lo:hi+1], true))
	}
	return c
}

// put returns the cells of up to surveyTile float64.
func (c *cellCounter) put(xs []byte) []uint16 {
	cells := c.cells[:len(xs)/8]
	cellOf.Run(bytesView(cells), xs, c.scale, c.shift)
	return cells
}

// maxBlocks is how many blocks leave no counter room to overflow.
const maxBlocks = 4 * math.MaxUint16 / BlockLen

func (c *cellCounter) block(r *Surveyor, block []byte) {
	if c.blocks == maxBlocks {
		c.flush(r)
	}
	c.blocks++
	size := r.typ.Size()
	for len(block) > 0 {
		tile := block[:min(surveyTile*size, len(block))]
		block = block[len(tile):]
		xs := tile
		if r.typ != Float64 {
			xs = bytesView(c.scratch.asFloat64(c.scratch.doubles[:], r.typ, tile))
		}
		cells := c.put(xs)
		aparts := c.aparts[:c.count(cells)]
		keys := c.keys[:len(aparts)]
		keysAt(r.typ, tile, aparts, keys)
		c.place(r, cells, aparts, keys)
	}
}

// place adds elements that are looked at to the counts. There is no branch on which side
// of a cut one lies, nor on which cells are hard: that is anybody's guess.
func (c *cellCounter) place(r *Surveyor, cells, aparts []uint16, keys []uint64) {
	counts := r.found.Counts
	common, hard := uint64(0), 0
	for k, i := range aparts {
		key, cell := keys[k], cells[i]&(surveyCells-1)
		if key == r.survey.Common && c.countCommon {
			common++
			continue
		}
		c.rest[hard&(2*surveyTile-1)] = uint16(k)
		h := c.hard[cell]
		hard += int(h)
		counts[c.interval(cell, key)] += uint64(1 - h)
	}
	counts[c.common] += common
	for _, k := range c.rest[:hard] {
		key, cell := keys[k], cells[aparts[k]]&(surveyCells-1)
		interval := c.interval(cell, key)
		if c.to[cell]-c.from[cell] > 1 {
			interval = c.find(r.survey.Cuts, int(cell), key)
		}
		counts[interval]++
		if r.survey.Keep[interval] {
			r.kept[interval] = append(r.kept[interval], key)
		}
	}
}

// interval returns the interval of an element in a cell through which one cut goes, or
// none.
func (c *cellCounter) interval(cell uint16, key uint64) int {
	_, below := bits.Sub64(key, c.cut[cell], 0)
	return int(c.above[cell]) - int(below)
}

// count counts cells and returns how many elements are to be looked at, whose places
// are in aparts.
func (c *cellCounter) count(cells []uint16) int {
	n, i := 0, 0
	aparts, apart := &c.aparts, &c.apart
	t0, t1, t2, t3 := &c.tables[0], &c.tables[1], &c.tables[2], &c.tables[3]
	const mask = surveyCells - 1
	// Without a branch: each element's place is written, and stays if n moves on.
	for ; i+4 <= len(cells); i += 4 {
		q := cells[i : i+4 : i+4]
		c0, c1, c2, c3 := q[0]&mask, q[1]&mask, q[2]&mask, q[3]&mask
		t0[c0]++
		aparts[n&(2*surveyTile-1)] = uint16(i)
		n += int(apart[c0])
		t1[c1]++
		aparts[n&(2*surveyTile-1)] = uint16(i + 1)
		n += int(apart[c1])
		t2[c2]++
		aparts[n&(2*surveyTile-1)] = uint16(i + 2)
		n += int(apart[c2])
		t3[c3]++
		aparts[n&(2*surveyTile-1)] = uint16(i + 3)
		n += int(apart[c3])
	}
	for ; i < len(cells); i++ {
		t0[cells[i]&mask]++
		aparts[n] = uint16(i)
		n += int(apart[cells[i]&mask])
	}
	return n
}

// find returns the interval of an element, of which its cell is known.
func (c *cellCounter) find(cuts []uint64, cell int, key uint64) int {
	from, n := int(c.from[cell]), int(c.to[cell]-c.from[cell])
	if n <= 8 { // without a branch on where it lies
		for _, cut := range cuts[from : from+n] {
			_, below := bits.Sub64(key, cut, 0)
			from += 1 - int(below)
		}
		return from
	}
	for n > 0 {
		half := n - n/2
		if cuts[from+half-1] <= key {
			from += half
		}
		n /= 2
	}
	return from
}

// flush adds the counts of cells that no cut goes through.
func (c *cellCounter) flush(r *Surveyor) {
	for cell := range surveyCells {
		if c.apart[cell] == 0 {
			r.found.Counts[c.from[cell]] += uint64(c.tables[0][cell]) + uint64(c.tables[1][cell]) + uint64(c.tables[2][cell]) + uint64(c.tables[3][cell])
		}
	}
	clear(c.tables[:])
	c.blocks = 0
}

// keysAt sets keys to those of some elements of a tile.
func keysAt(t Type, tile []byte, at []uint16, keys []uint64) {
	switch t {
	case Float64:
		xs := view[uint64](tile)
		for k, i := range at {
			keys[k] = keyOfFloat(math.Float64frombits(xs[i]))
		}
	case Float32:
		xs := view[uint32](tile)
		for k, i := range at {
			keys[k] = keyOfFloat(float64(math.Float32frombits(xs[i])))
		}
	case Int64:
		xs := view[uint64](tile)
		for k, i := range at {
			keys[k] = xs[i] ^ signBit
		}
	case Int32:
		xs := view[int32](tile)
		for k, i := range at {
			keys[k] = uint64(xs[i]) ^ signBit
		}
	case Uint32:
		xs := view[uint32](tile)
		for k, i := range at {
			keys[k] = uint64(xs[i])
		}
	default:
		xs := view[uint64](tile)
		for k, i := range at {
			keys[k] = xs[i]
		}
	}
}
