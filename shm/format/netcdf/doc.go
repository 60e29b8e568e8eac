// Package netcdf describes the variables in netCDF files of the classic formats:
// CDF-1, CDF-2 (64-bit offsets) and CDF-5 (64-bit data). NetCDF-4 files are HDF5.
//
// Numbers are big-endian. A variable along the record dimension lies in slices, one in
// each record, and is strided. scale_factor, add_offset, _FillValue (or the format's own
// fill value) and missing_value become a [format.Scaling]; where _Unsigned says so,
// integers are unsigned. valid_range and its like are not looked at.
package netcdf
