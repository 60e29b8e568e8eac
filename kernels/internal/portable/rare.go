package portable

import "math"

// fmod64 is the remainder of any x and y. math.Mod is exact, in whole numbers.
func fmod64(x, y float64) float64 {
	r := math.Mod(x, y)
	if r != r {
		return math.Float64frombits(0x7ff8000000000000)
	}
	return r
}

// fmod32 is fmod64 for float32, whose remainder is a float32, too.
func fmod32(x, y float32) float32 { return float32(fmod64(float64(x), float64(y))) }
