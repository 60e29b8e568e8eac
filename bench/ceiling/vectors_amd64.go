package ceiling

import "golang.org/x/sys/cpu"

func vectors() (loops []Loop) {
	if cpu.X86.HasAVX2 {
		loops = append(loops, Loop{"avx2",
			func(src []byte) uint64 { return loadAVX2(&src[0], len(src)) },
			func(dst, src []byte) { copyAVX2(&dst[0], &src[0], len(src)) }, chainAVX2})
	}
	if cpu.X86.HasAVX512F {
		loops = append(loops, Loop{"avx512",
			func(src []byte) uint64 { return loadAVX512(&src[0], len(src)) },
			func(dst, src []byte) { copyAVX512(&dst[0], &src[0], len(src)) }, chainAVX512})
	}
	return loops
}
