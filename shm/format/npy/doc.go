// Package npy reads and writes the headers of NumPy's .npy files, versions
// 1.0, 2.0 and 3.0 (numpy.lib.format, NEP 1).
//
// A file is the magic "\x93NUMPY", two version bytes, the length of the header
// (2 bytes little endian in version 1, else 4), the header: a Python
// dictionary literal with the keys descr, fortran_order and shape, and then
// the elements. [Parse] accepts that literal alone and evaluates nothing.
// Bytes behind the last element are ignored, as NumPy does.
//
// A structured dtype is one strided array for each field, "a.b" where records are
// nested, with the axes of a subarray behind those of the records. Fields that hold
// no numbers are listed as refused.
package npy
