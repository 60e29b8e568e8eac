// Package safetensors reads and writes the headers of safetensors files, in which
// weights of neural networks are kept.
//
// A file is the length of the header (8 bytes, little endian), the header: a JSON
// object from names to {"dtype", "shape", "data_offsets": [begin, end]}, and the data.
// Offsets count from the end of the header. The tensors fill the data without holes
// or overlaps, in little-endian C order. The key "__metadata__" maps strings to strings.
//
// The format promises no alignment: a tensor is mapped wherever it lies. Tensors of
// types that gangsaw has not (8 bits and fewer of floating point, complex) are listed
// as refused.
package safetensors
