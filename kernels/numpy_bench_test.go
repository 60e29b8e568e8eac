package kernels

import (
	"encoding/json"
	"fmt"
	"os/exec"
	"slices"
	"testing"
)

// besideNumPy are the functions that NumPy has as well.
var besideNumPy = []string{"exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "sin", "cos", "tan", "arcsin", "arccos", "arctan",
	"sinh", "cosh", "tanh", "arcsinh", "arccosh", "arctanh", "cbrt", "sqrt"}

const numPyElements = 4096

// numPyScript measures NumPy's functions over the numbers that the benchmark
// gives the kernels, in nanoseconds per element, on one core.
const numPyScript = `
import json, sys, time
import numpy as np
n = int(sys.argv[1])
x = np.array([(i % 1000) / 300 + 0.1 for i in range(n)])
y = np.empty_like(x)
result = {}
with np.errstate(all="ignore"):
    for name in sys.argv[2:]:
        f, times = getattr(np, name), []
        for _ in range(300):
            begin = time.perf_counter()
            f(x, out=y)
            times.append(time.perf_counter() - begin)
        result[name] = sorted(times)[len(times) // 2] / n * 1e9
print(json.dumps(result))
`

// numPy returns NumPy's times in one run of a Python that has it.
func numPy(python string) (map[string]float64, error) {
	out, err := exec.Command(python, append([]string{"-c", numPyScript, fmt.Sprint(numPyElements)}, besideNumPy...)...).Output()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", python, err)
	}
	times := map[string]float64{}
	return times, json.Unmarshal(out, &times)
}

// BenchmarkBesideNumPy measures math functions on one core, in turns with NumPy:
// nanoseconds per element of both, and how many times faster the kernel is.
func BenchmarkBesideNumPy(b *testing.B) {
	pythons := []string{"python3", "/usr/bin/python3"}
	at := slices.IndexFunc(pythons, func(python string) bool {
		return exec.Command(python, "-c", "import importlib.util, sys; sys.exit(not importlib.util.find_spec('numpy'))").Run() == nil
	})
	if at < 0 {
		b.Skipf("none of %v has NumPy", pythons)
	}
	numPys := map[string][]float64{}
	for range 3 {
		times, err := numPy(pythons[at])
		if err != nil {
			b.Fatal(err)
		}
		for name, ns := range times {
			numPys[name] = append(numPys[name], ns)
		}
	}
	src, dst := make([]byte, 8*numPyElements), make([]byte, 8*numPyElements)
	for i := range numPyElements {
		put(src, Float64, i, ordinary(Float64, i))
	}
	for _, name := range besideNumPy {
		b.Run(name, func(b *testing.B) {
			k, ok := LookupElementwise(name, Float64)
			if !ok {
				b.Fatal("no such kernel")
			}
			b.SetBytes(8 * numPyElements)
			for b.Loop() {
				k.Run(dst, src, nil, nil)
			}
			slices.Sort(numPys[name])
			theirs := numPys[name][len(numPys[name])/2]
			ours := float64(b.Elapsed().Nanoseconds()) / float64(b.N) / numPyElements
			b.ReportMetric(ours, "ns/elem")
			b.ReportMetric(theirs, "numpy-ns/elem")
			b.ReportMetric(theirs/ours, "times-faster")
		})
	}
}
