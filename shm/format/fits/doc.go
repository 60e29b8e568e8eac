// Package fits describes the images in FITS files (FITS Standard 4.0): primary arrays
// and IMAGE extensions. Tables, random groups and compressed images are listed with
// the reason why they are not mapped.
//
// A file is a sequence of header and data units in blocks of 2,880 bytes. A header is
// cards of 80 bytes up to END. Data are big-endian, and the first axis, NAXIS1, varies
// fastest: a shape here is (..., NAXIS2, NAXIS1) in C order, as Astropy has it.
//
// BSCALE, BZERO and BLANK become a [format.Scaling]; the convention by which unsigned
// integers are stored with half their range subtracted (and signed bytes with 128
// added) is recognised and exact. The places of DATASUM and CHECKSUM come along;
// [Sum] and [Encode] are their arithmetic.
package fits
