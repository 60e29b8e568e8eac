package parquet

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/gangsaw/gangsaw/kernels"
)

// put writes rows, whose values, as many as are not null, are in c.
func (c *columnDecoder) put(dst []byte, rows, values int) error {
	if c.to.Type != c.leaf.stored {
		if err := c.widen(values); err != nil {
			return err
		}
	}
	size := c.to.Type.Size()
	if values == rows {
		for i, v := range c.bits[:rows] {
			store(dst, i, size, v)
		}
		return nil
	}
	if !c.to.Type.IsFloat() {
		return c.fail(fmt.Errorf("there is a null, of which its statistics know none"))
	}
	null := c.to.Type.FloatBits(math.NaN())
	value := 0
	for i, d := range c.defs[:rows] {
		v := null
		if d == c.leaf.maxDef {
			v = c.bits[value]
			value++
		}
		store(dst, i, size, v)
	}
	return nil
}

// widen makes float64 of integers and truth values.
func (c *columnDecoder) widen(values int) error {
	const bound = 1 << 53
	for i, v := range c.bits[:values] {
		f := float64(int64(v))
		if c.leaf.stored == kernels.Uint64 && v > bound || c.leaf.stored != kernels.Uint64 && (int64(v) > bound || int64(v) < -bound) {
			shown := any(int64(v))
			if c.leaf.stored == kernels.Uint64 {
				shown = v
			}
			return c.fail(fmt.Errorf("the integer %d would be rounded to float64, as which a column with nulls is read", shown))
		}
		c.bits[i] = math.Float64bits(f)
	}
	return nil
}

func store(dst []byte, i, size int, v uint64) {
	switch size {
	case 1:
		dst[i] = byte(v)
	case 2:
		binary.NativeEndian.PutUint16(dst[2*i:], uint16(v))
	case 4:
		binary.NativeEndian.PutUint32(dst[4*i:], uint32(v))
	case 8:
		binary.NativeEndian.PutUint64(dst[8*i:], v)
	}
}
