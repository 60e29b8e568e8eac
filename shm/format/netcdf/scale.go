package netcdf

import (
	"fmt"

	"github.com/gangsaw/gangsaw/shm/format"
)

// scale sets what a variable's numbers stand for.
func (v *variable) scale(a *format.Array) error {
	numbers := map[string]format.Numbers{}
	for name, attr := range v.attributes {
		if t := external[attr.typ]; t.Valid() {
			numbers[name] = format.Numbers{Type: t, Bits: attr.elements()}
		}
	}
	unsigned := false
	switch string(v.attributes["_Unsigned"].values) {
	case "true", "True", "TRUE":
		unsigned = true
	}
	if wrong := a.Convene(numbers, unsigned, true); wrong != "" {
		return fail(v.at, fmt.Sprintf("variable %q: %s", v.name, wrong), "set it anew")
	}
	return nil
}

// elements returns the bits of an attribute's numbers.
func (a attribute) elements() (all []uint64) {
	one := format.Array{Type: external[a.typ], Swapped: true}
	for b := a.values; len(b) >= one.Type.Size(); b = b[one.Type.Size():] {
		all = append(all, one.Bits(b))
	}
	return all
}
