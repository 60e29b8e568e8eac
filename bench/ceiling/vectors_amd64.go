package ceiling

import "github.com/klauspost/cpuid/v2"

func vectors() (loops []Loop) {
	if cpuid.CPU.X64Level() >= 3 {
		loops = append(loops, Loop{"avx2",
			func(src []byte) uint64 { return loadAVX2(&src[0], len(src)) },
			func(dst, src []byte) { copyAVX2(&dst[0], &src[0], len(src)) }})
	}
	if cpuid.CPU.X64Level() >= 4 {
		loops = append(loops, Loop{"avx512",
			func(src []byte) uint64 { return loadAVX512(&src[0], len(src)) },
			func(dst, src []byte) { copyAVX512(&dst[0], &src[0], len(src)) }})
	}
	return loops
}
