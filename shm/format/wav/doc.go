// Package wav describes the samples in WAV files: RIFF, RIFX (big-endian), RF64 and
// BW64 (EBU Tech 3306, ITU-R BS.2088), with PCM of 8, 16, 32 and 64 bits and floats of
// 32 and 64, plain and extensible.
//
// Frames are the first axis, channels the second; sound of one channel has the one
// axis of its frames. 8 bits are unsigned, with silence at 128.
package wav
