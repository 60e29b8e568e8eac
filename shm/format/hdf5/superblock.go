package hdf5

import (
	"io"

	"github.com/gangsaw/gangsaw/shm/format"
)

const signature = "\x89HDF\r\n\x1a\n"

func init() {
	format.Register(format.Format{Name: "hdf5", Match: match, Parse: Parse})
}

func match(r io.ReaderAt, size int64) bool { return find(r, size) >= 0 }

// find returns where the superblock is: at 0, or behind a user block of 512 bytes
// or a multiple of it by a power of two; -1: nowhere.
func find(r io.ReaderAt, size int64) int64 {
	var b [len(signature)]byte
	for at := int64(0); at < min(size, 1<<24); at = max(512, 2*at) {
		if n, _ := r.ReadAt(b[:], at); n == len(b) && string(b[:]) == signature {
			return at
		}
	}
	return -1
}

// open reads the superblock, and returns the address of the root group.
func open(r io.ReaderAt, size int64) (*file, uint64, error) {
	start := find(r, size)
	if start < 0 {
		return nil, 0, &format.Error{Format: "hdf5", What: "it does not begin as an HDF5 file does"}
	}
	// A structure takes some bytes and is read a few times; one that leads back to
	// itself is read without end.
	f := &file{r: r, size: size, reads: min(mostReads, 1000+size/8), left: min(mostBytes, 1<<20+16*min(size, mostBytes))}
	c, err := f.at(uint64(start), min(160, uint64(size-start)), "the superblock")
	if err != nil {
		return nil, 0, err
	}
	c.signature(signature)
	version := c.uint(1)
	switch version {
	case 0, 1:
		c.skip(4) // versions of other structures
		f.offsetSize, f.lengthSize = int(c.uint(1)), int(c.uint(1))
		c.skip(1 + 2 + 2 + 4)
		if version == 1 {
			c.skip(4)
		}
	case 2, 3:
		f.offsetSize, f.lengthSize = int(c.uint(1)), int(c.uint(1))
		c.skip(1)
	default:
		c.fail("version %d is not known", version)
	}
	for _, n := range []int{f.offsetSize, f.lengthSize} {
		if n != 2 && n != 4 && n != 8 {
			c.fail("addresses or lengths of %d bytes are not supported", n)
			return nil, 0, c.err
		}
	}
	base := c.address()
	var root uint64
	if version < 2 {
		c.address() // of free space
		c.address() // end of file
		c.address() // driver information
		c.address() // name of the root group
		root = c.address()
	} else {
		c.address() // extension
		c.address() // end of file
		root = c.address()
	}
	// A file to whose front something was added keeps the address it had.
	if f.base = start; c.err == nil && base != undefined && base > uint64(start) {
		c.fail("the base address %d lies behind the superblock", base)
	}
	return f, root, c.err
}
