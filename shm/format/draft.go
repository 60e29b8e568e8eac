package format

// Draft is a file that is to be written: all but the elements of its arrays.
type Draft struct {
	// Arrays are where their elements go, in the order in which they were asked for.
	Arrays []Array
	// Fixed is what stands around the elements; zeros do so elsewhere.
	Fixed []Patch
	Size  int64 // of the file, bytes
	// Bits tells that masks take a bit for each element, the lowest one first, and not
	// a byte.
	Bits bool
	// Batches, if not nil, tells that elements do not lie together.
	Batches *Batches
}

// Batches cut arrays of one axis and one length, all of which have a part in each.
type Batches struct {
	Length int64 // elements of an array in each batch but the last
	Count  int64 // batches of that length
	Stride int64 // bytes from those of one batch to those of the next
	// Rest is for each array where the elements behind those batches begin.
	Rest []int64
}
