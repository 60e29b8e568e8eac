// Package portable is every elementwise kernel as plain Go: what platforms
// without assembly run, what does the elements that whole vectors leave, and
// the oracle that assembly is tested against. Its files but this, values.go, half.go, packed.go,
// integer_power.go and rare*.go are generated.
//
// A loop computes dst[i] from the operands' elements i. An operand of one
// element serves every i. Elements that need type Float16 or BFloat16 travel
// as their bits, truth values as bytes 0 and 1; any other byte counts as true.
package portable
