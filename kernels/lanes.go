package kernels

import "math"

// Layout of a block, see the package doc. They are part of every result's
// definition and never change.
const (
	// BlockLen is the number of elements of a block.
	BlockLen = 4096
	// Lanes is the number of virtual lanes that share a block.
	Lanes = 32
)

// sumLanes returns the sum of lanes, each a sum and its compensation: lanes
// fold by double addition.
func sumLanes(sums, compensations []uint64) double {
	var lanes [Lanes]double
	for l := range lanes {
		hi, lo := twoSum(math.Float64frombits(sums[l]), math.Float64frombits(compensations[l]))
		lanes[l] = double{hi, lo}
	}
	for half := Lanes / 2; half > 0; half /= 2 {
		for l := range half {
			lanes[l] = lanes[l].add(lanes[l+half])
		}
	}
	return lanes[0]
}

// sumPairs returns the sum of lanes, folded by addition.
func sumPairs(state []uint64) float64 {
	var lanes [Lanes]float64
	for l := range lanes {
		lanes[l] = math.Float64frombits(state[l])
	}
	for half := Lanes / 2; half > 0; half /= 2 {
		for l := range half {
			lanes[l] += lanes[l+half]
		}
	}
	return lanes[0]
}
