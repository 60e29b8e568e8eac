package portable

// These compute with the bytes and 16-bit words of 64-bit lanes.

const (
	byteSigns = 0x8080808080808080
	wordSigns = 0x8000800080008000
)

// sumBytes is the sum of how far apart the bytes are, unsigned.
func sumBytes(x, y uint64) uint64 {
	const even = 0x00ff00ff00ff00ff
	d := maxBytes(x, y) - minBytes(x, y)
	return (d&even + d>>8&even) * 0x0001000100010001 >> 48
}

// dotWords is the signed products of words, by twos added to 32 bits.
func dotWords(x, y uint64) uint64 {
	product := func(shift int) uint32 { return uint32(int32(int16(x>>shift)) * int32(int16(y>>shift))) }
	return uint64(product(0)+product(16)) | uint64(product(32)+product(48))<<32
}

// mulWords is the products of words, which wrap.
func mulWords(x, y uint64) (product uint64) {
	for shift := 0; shift < 64; shift += 16 {
		product |= uint64(uint16(x>>shift)*uint16(y>>shift)) << shift
	}
	return product
}

// lowBytes is the lower byte of each word with its sign, highBytes the upper.
func lowBytes(x uint64) (words uint64) {
	for shift := 0; shift < 64; shift += 16 {
		words |= uint64(uint16(int8(x>>shift))) << shift
	}
	return words
}

func highBytes(x uint64) uint64 { return lowBytes(x >> 8) }

// addHalves adds halves of 32 bits, which wrap.
func addHalves(x, y uint64) uint64 { return uint64(uint32(x)+uint32(y)) | (x>>32+y>>32)<<32 }

// atLeast is ones in those parts of x, unsigned, that are not below those of y. signs
// are the parts' highest bits.
func atLeast(x, y, signs uint64, width int) uint64 {
	// No part borrows from the next: whether the lower bits are at least y's.
	lower := (x | signs) - y&^signs
	at := (x&^y | ^(x^y)&lower) & signs
	return at<<1 - at>>(width-1)
}

func minBytes(x, y uint64) uint64 {
	m := atLeast(x, y, byteSigns, 8)
	return y&m | x&^m
}

func maxBytes(x, y uint64) uint64 {
	m := atLeast(x, y, byteSigns, 8)
	return x&m | y&^m
}

func minWords(x, y uint64) uint64 {
	m := atLeast(x^wordSigns, y^wordSigns, wordSigns, 16)
	return y&m | x&^m
}

func maxWords(x, y uint64) uint64 {
	m := atLeast(x^wordSigns, y^wordSigns, wordSigns, 16)
	return x&m | y&^m
}
