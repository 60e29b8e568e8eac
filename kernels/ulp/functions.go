package main

import (
	"math"
	"slices"
)

// function is what is measured: a kernel by its names, of which the reference
// bears the first, and where.
type function struct {
	names []string
	draw  draw
}

var small, medium, large = [2]float64{-1, 1}, [2]float64{-10, 10}, [2]float64{-1000, 1000}

// either is where a function is between 0 and b, and its mirror image.
func either(b float64) [2]float64 { return [2]float64{-b, b} }

var functions = []function{
	{[]string{"sqrt"}, unary([][2]float64{{0, 4}, {0, 1000}}, powers(2), everywhere)},
	{[]string{"cbrt"}, unary([][2]float64{small, medium, large}, powers(3), everywhere)},
	{[]string{"exp"}, unary([][2]float64{small, medium, either(745), either(87)}, expSpot(1/math.Ln2))},
	{[]string{"exp2"}, unary([][2]float64{small, medium, either(1075), either(126)}, expSpot(1))},
	{[]string{"expm1"}, unary([][2]float64{small, small, medium, either(38), either(709)}, expSpot(1/math.Ln2), origin)},
	{[]string{"log"}, unary([][2]float64{{0, 2}, {0.5, 1.5}, {0, 100}, {0, 1e6}}, unit, octaveCentre, powerOfTwo)},
	{[]string{"log2"}, unary([][2]float64{{0, 2}, {0.5, 1.5}, {0, 100}, {0, 1e6}}, unit, octaveCentre, powerOfTwo)},
	{[]string{"log10"}, unary([][2]float64{{0, 2}, {0.5, 1.5}, {0, 100}, {0, 1e6}}, unit, octaveCentre, powerOfTwo, tenToThe)},
	{[]string{"log1p"}, unary([][2]float64{small, small, {-0.5, 1}, {0, 100}, {0, 1e6}}, origin, at(1, math.Sqrt2-1, math.Sqrt2/2-1), octaveCentre, powerOfTwo)},
	{[]string{"sin"}, unary([][2]float64{small, medium, large, {-1e6, 1e6}}, turns)},
	{[]string{"cos"}, unary([][2]float64{small, medium, large, {-1e6, 1e6}}, turns)},
	{[]string{"tan"}, unary([][2]float64{small, medium, large, {-1e6, 1e6}}, turns)},
	{[]string{"arcsin", "asin"}, unary([][2]float64{small}, unit, at(0.5, math.Sqrt2/2), tableStep)},
	{[]string{"arccos", "acos"}, unary([][2]float64{small}, unit, origin, at(0.5, math.Sqrt2/2), tableStep)},
	{[]string{"arctan", "atan"}, unary([][2]float64{small, medium, large}, unit, tangents, tableStep)},
	{[]string{"sinh"}, unary([][2]float64{small, medium, either(40), either(711)}, expSpot(1/math.Ln2), origin, at(hyperbolicTop...))},
	{[]string{"cosh"}, unary([][2]float64{small, medium, either(40), either(711)}, expSpot(1/math.Ln2), origin, at(hyperbolicTop...))},
	{[]string{"tanh"}, unary([][2]float64{small, small, medium, either(22)}, expSpot(2/math.Ln2), origin)},
	{[]string{"arcsinh", "asinh"}, unary([][2]float64{small, medium, large, {-1e6, 1e6}}, origin, unit, powerOfTwo, tableStep)},
	{[]string{"arccosh", "acosh"}, unary([][2]float64{{1, 2}, {1, 10}, {1, 1000}, {1, 1e6}}, unit, powerOfTwo, tableStep)},
	{[]string{"arctanh", "atanh"}, unary([][2]float64{small}, origin, unit, at(0.5), tableStep)},
	{[]string{"erf"}, unary([][2]float64{small, either(2), either(4), either(6.5)}, origin, at(erfTop...), tableStep)},

	{[]string{"divide"}, mixed(2, everyday, anyMagnitudes, alike, inRatio(60), atRange)},
	{[]string{"hypot"}, mixed(2, everyday, anyMagnitudes, alike, inRatio(2), inRatio(60), atTableStep, atRange)},
	{[]string{"arctan2", "atan2"}, mixed(2, everyday, anyMagnitudes, alike, inRatio(2), inRatio(60), inRatio(1000), atTableStep, atRange)},
	{[]string{"power", "pow"}, mixed(2, everyday, powerEverywhere, powerNearOne, powerAtEdge, powerOfInteger, powerOfFraction, powerAtStep)},
	{[]string{"fma"}, mixed(3, everyday, anyMagnitudes, alike, cancelled, besideProduct, atRange)},
}

// hyperbolicTop is where sinh and cosh overflow, of both formats.
var hyperbolicTop = []float64{1025 * math.Ln2, 129 * math.Ln2}

// erfTop is where erf becomes 1, of both formats.
var erfTop = []float64{5.921587195794508, 3.9192059}

// functionOf returns the function that a kernel computes.
func functionOf(kernel string) (function, bool) {
	i := slices.IndexFunc(functions, func(f function) bool { return slices.Contains(f.names, kernel) })
	if i < 0 {
		return function{}, false
	}
	return functions[i], true
}
