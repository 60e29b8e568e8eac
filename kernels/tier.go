package kernels

import (
	"fmt"
	"os"
	"strings"
	"sync/atomic"

	"golang.org/x/sys/cpu"
)

// Tier is an instruction set that kernels are written for. Every tier computes
// the same bits.
type Tier uint8

// The tiers, slowest first.
const (
	// Scalar is portable Go, on every platform.
	Scalar Tier = iota
	// AVX2 needs FMA, F16C and BMI2 as well, as x86-64-v3 has them.
	AVX2
	// AVX512 needs the F, BW, DQ and VL parts of AVX-512 besides, as x86-64-v4
	// has them.
	AVX512
	numTiers
)

// TierVariable is the environment variable that caps the tier.
const TierVariable = "GANGSAW_ISA"

var tierNames = [numTiers]string{"scalar", "avx2", "avx512"}

// String returns the tier's name, such as "avx2".
func (t Tier) String() string {
	if t < numTiers {
		return tierNames[t]
	}
	return fmt.Sprintf("Tier(%d)", uint8(t))
}

// ParseTier reads a tier's name, or "auto" for the best of this machine.
func ParseTier(s string) (Tier, error) {
	if s == "auto" {
		return BestTier(), nil
	}
	for t, name := range tierNames {
		if s == name {
			return Tier(t), nil
		}
	}
	return 0, fmt.Errorf("unknown instruction set %q: use auto, %s", s, strings.Join(tierNames[:], ", "))
}

// BestTier returns the best tier that this machine can run.
func BestTier() Tier {
	x := &cpu.X86 // all false elsewhere, and where the system does not save the registers
	switch {
	case !assembled || !(x.HasAVX2 && x.HasFMA && x.HasF16C && x.HasBMI2):
		return Scalar
	case x.HasAVX512F && x.HasAVX512BW && x.HasAVX512DQ && x.HasAVX512VL:
		return AVX512
	}
	return AVX2
}

// current is the selected tier plus 1; 0 means not selected yet.
var current atomic.Uint32

// CurrentTier returns the tier that kernels run on: the one that UseTier set,
// else the best, capped by the environment.
func CurrentTier() Tier {
	if t := current.Load(); t != 0 {
		return Tier(t - 1)
	}
	t := BestTier()
	if limit, err := ParseTier(os.Getenv(TierVariable)); err == nil {
		t = min(t, limit)
	}
	current.CompareAndSwap(0, uint32(t)+1)
	return Tier(current.Load() - 1)
}

// CheckTierVariable tells what is wrong with the environment's cap, which
// CurrentTier ignores if it cannot be read.
func CheckTierVariable() error {
	value, ok := os.LookupEnv(TierVariable)
	if !ok {
		return nil
	}
	if _, err := ParseTier(value); err != nil {
		return fmt.Errorf("environment variable %s: %w", TierVariable, err)
	}
	return nil
}

// UseTier selects the tier for this process. It refuses one that this machine
// cannot run.
func UseTier(t Tier) error {
	if best := BestTier(); t > best {
		return fmt.Errorf("this machine offers %v at best, not %v", best, t)
	}
	current.Store(uint32(t) + 1)
	return nil
}
