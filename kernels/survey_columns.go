package kernels

import "fmt"

// ColumnGroup is how many columns of a two-dimensional array in C order a chunk of a
// survey of columns has. Their moments fit into a result, and their elements in a row
// fill whole cache lines.
const ColumnGroup = 128

// columnsAtOnce is how many columns are gathered by one walk along the rows.
const columnsAtOnce = 16

// columnsOf returns how many columns of the survey a chunk has, which are those of one
// group in the rows of one block: chunk i has group i mod groups.
func (s *Survey) columnsOf(chunk uint64) int {
	groups := uint64(ColumnGroups(s.Columns))
	return min(ColumnGroup, s.Columns-int(chunk%groups)*ColumnGroup)
}

// ColumnGroups returns into how many groups so many columns fall.
func ColumnGroups(columns int) int { return (columns + ColumnGroup - 1) / ColumnGroup }

// columns returns the moments of each column in a chunk, one after another. data begins
// with the first column's element of the first row and ends with the last's of the last.
func (r *Surveyor) columns(chunk uint64, data []byte, progress func(done int)) ([]byte, error) {
	size, columns := r.typ.Size(), r.survey.columnsOf(chunk)
	stride := r.survey.Columns * size
	rows, rest := len(data)/stride, len(data)%stride
	if rest > 0 {
		rows++
	}
	if rows > BlockLen || len(data) != (rows-1)*stride+columns*size {
		return nil, fmt.Errorf("survey of %d columns: a chunk of %d bytes", r.survey.Columns, len(data))
	}
	if r.gathered == nil {
		r.gathered, r.fold = make([]byte, columnsAtOnce*BlockLen*size), new(blockFold)
	}
	r.result = r.result[:0]
	for first := 0; first < columns; first += columnsAtOnce {
		n := min(columnsAtOnce, columns-first)
		for row := range rows {
			from := data[row*stride+first*size:][:n*size]
			for c := range n {
				copyElement(r.gathered[(c*BlockLen+row)*size:][:size], from[c*size:])
			}
		}
		for c := range n {
			at := len(r.result)
			r.result = append(r.result, make([]byte, DescribeMoments.partialSize)...)
			encodeMoments(r.fold.moments(r.typ, r.gathered[c*BlockLen*size:][:rows*size]), &words{bytes: r.result[at:]})
		}
		progress(len(data) * (first + n) / columns)
	}
	return r.result, nil
}

// DecodeColumns reads the moments of each column in a chunk of so many rows.
func (s *Survey) DecodeColumns(t Type, chunk, rows uint64, b []byte) ([]Moments, error) {
	all := make([]Moments, s.columnsOf(chunk))
	if len(b) != len(all)*DescribeMoments.partialSize {
		return nil, fmt.Errorf("survey of %d columns: %d bytes", len(all), len(b))
	}
	for i := range all {
		var err error
		if all[i], err = decodeMoments(t, &words{bytes: b[:DescribeMoments.partialSize]}); err != nil {
			return nil, fmt.Errorf("survey of columns: %w", err)
		}
		if all[i].count != rows {
			return nil, fmt.Errorf("survey of columns: moments of %d elements, want %d", all[i].count, rows)
		}
		b = b[DescribeMoments.partialSize:]
	}
	return all, nil
}
