// Package hdf5 describes the datasets in HDF5 files, netCDF-4 files among them (HDF5
// File Format Specification 3.0).
//
// It reads superblocks of versions 0 to 3, object headers of versions 1 and 2, and
// groups in all their forms: symbol tables (a B-tree and a local heap), links in the
// header, and dense ones (a fractal heap). Contiguous datasets of numbers are mapped
// where they lie; what is chunked, filtered or compact is listed with the remedy.
// netCDF's scale_factor, add_offset, _FillValue and missing_value become a
// [format.Scaling], where they are stored in the header, and in files that netCDF-4 says
// it wrote its own fill values as well.
//
// Every structure is bounded: by the file's size, by the number of objects visited,
// and by depth. An object that is reached twice, by hard links, is listed once.
package hdf5
