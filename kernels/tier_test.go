package kernels

import (
	"os"
	"runtime"
	"slices"
	"strings"
	"testing"
)

func TestTiersHaveNames(t *testing.T) {
	for tier := Scalar; tier < numTiers; tier++ {
		if got, err := ParseTier(tier.String()); err != nil || got != tier {
			t.Errorf("ParseTier(%v) = %v, %v", tier, got, err)
		}
	}
	if got, err := ParseTier("auto"); err != nil || got != BestTier() {
		t.Errorf("auto is %v, %v", got, err)
	}
	for _, s := range []string{"", "AVX2", "avx", "sse"} {
		if got, err := ParseTier(s); err == nil {
			t.Errorf("%q is taken for %v", s, got)
		}
	}
}

// What the kernel says of the CPU, rather than the CPU itself, promises a tier.
func TestThePromisedTierIsSelected(t *testing.T) {
	want := Scalar
	if runtime.GOARCH == "amd64" {
		if runtime.GOOS != "linux" {
			t.Skip("only Linux tells in a file what the CPU can do")
		}
		info, err := os.ReadFile("/proc/cpuinfo")
		if err != nil {
			t.Fatal(err)
		}
		_, rest, _ := strings.Cut(string(info), "\nflags")
		line, _, _ := strings.Cut(rest, "\n")
		flags := strings.Fields(line)
		has := func(names ...string) bool {
			return !slices.ContainsFunc(names, func(name string) bool { return !slices.Contains(flags, name) })
		}
		if has("avx2", "fma", "f16c", "bmi2") {
			want = AVX2
		}
		if want == AVX2 && has("avx512f", "avx512bw", "avx512dq", "avx512vl") {
			want = AVX512
		}
	}
	if BestTier() != want {
		t.Errorf("the best tier is %v, want %v", BestTier(), want)
	}
	if err := UseTier(want + 1); err == nil {
		t.Error("a tier that this machine has not was selected")
	}
}

func TestTheEnvironmentCapsTheTier(t *testing.T) {
	defer current.Store(current.Load())
	for value, want := range map[string]Tier{"scalar": Scalar, "avx2": min(AVX2, BestTier()), "avx512": BestTier(), "auto": BestTier(), "nonsense": BestTier()} {
		t.Setenv(TierVariable, value)
		current.Store(0)
		if got := CurrentTier(); got != want {
			t.Errorf("%s=%s selects %v, want %v", TierVariable, value, got, want)
		}
		if err := CheckTierVariable(); (err != nil) != (value == "nonsense") {
			t.Errorf("%s=%s: %v", TierVariable, value, err)
		}
	}
}
