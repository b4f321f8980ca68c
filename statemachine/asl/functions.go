package asl

import (
	"errors"
	"fmt"
	"slices"
)

// intrinsic is one of the intrinsic functions of the language.
type intrinsic struct {
	least, most int // number of arguments; most is -1 if there is no limit
	// text reports whether it always gives a string, or may (States.ArrayGetItem):
	// ErrorPath and CausePath take no others.
	text  bool
	apply func(s scope, arguments []any) (any, error)
}

// takes returns how many arguments the function takes, in words.
func (f intrinsic) takes() string {
	switch {
	case f.most < 0:
		return fmt.Sprintf("at least %d argument(s)", f.least)
	case f.least == f.most:
		return fmt.Sprintf("%d argument(s)", f.least)
	}
	return fmt.Sprintf("%d to %d arguments", f.least, f.most)
}

// intrinsics has all intrinsic functions by name. What they do beyond AWS's
// documentation was recorded on AWS from 2023-02-09 to 2024-12-05, by LocalStack's
// tests: how they round, split and print.
var intrinsics = map[string]intrinsic{
	"States.Format":         {1, -1, true, formatData},
	"States.StringToJson":   {1, 1, false, stringToJSON},
	"States.JsonToString":   {1, 1, true, func(_ scope, a []any) (any, error) { return string(appendJSON(nil, a[0])), nil }},
	"States.Array":          {0, -1, false, func(_ scope, a []any) (any, error) { return slices.Clone(a), nil }},
	"States.ArrayPartition": {2, 2, false, arrayPartition},
	"States.ArrayContains":  {2, 2, false, arrayContains},
	"States.ArrayRange":     {3, 3, false, arrayRange},
	"States.ArrayGetItem":   {2, 2, true, arrayGetItem},
	"States.ArrayLength":    {1, 1, false, arrayLength},
	"States.ArrayUnique":    {1, 1, false, arrayUnique},
	"States.Base64Encode":   {1, 1, true, base64Encode},
	"States.Base64Decode":   {1, 1, true, base64Decode},
	"States.Hash":           {2, 2, true, hash},
	"States.JsonMerge":      {3, 3, false, jsonMerge},
	"States.MathRandom":     {2, 3, false, mathRandom},
	"States.MathAdd":        {2, 2, false, mathAdd},
	"States.StringSplit":    {2, 2, false, stringSplit},
	"States.UUID":           {0, 0, true, uuid},
}

// formatData is States.Format with a template from the data.
func formatData(_ scope, a []any) (any, error) {
	template, ok := a[0].(string)
	if !ok {
		return nil, errors.New("the template is not a string")
	}
	return format(template, a[1:])
}

// array returns an argument that must be an array.
func array(v any) ([]any, error) {
	list, ok := opened(v).([]any)
	if !ok {
		return nil, fmt.Errorf("%.100s is not an array", appendJSON(nil, v))
	}
	return list, nil
}

// arrayPartition splits an array into parts of a size; the last may be smaller.
func arrayPartition(_ scope, a []any) (any, error) {
	list, err := array(a[0])
	if err != nil {
		return nil, err
	}
	size, err := rounded(a[1])
	if err == nil && size < 1 {
		err = errors.New("the size of a part must be a positive number")
	}
	if err != nil {
		return nil, err
	}
	parts := []any{}
	for begin := 0; begin < len(list); begin += int(min(size, int64(len(list)))) {
		end := begin + int(min(size, int64(len(list)-begin)))
		parts = append(parts, list[begin:end:end])
	}
	return parts, nil
}

func arrayContains(_ scope, a []any) (any, error) {
	list, err := array(a[0])
	if err != nil {
		return nil, err
	}
	return slices.ContainsFunc(list, func(v any) bool { return sameValue(v, a[1]) }), nil
}

// maxRange is the largest number of elements of States.ArrayRange, as AWS documents it.
const maxRange = 1000

// arrayRange returns the numbers from the first to the last, inclusive, in steps.
func arrayRange(_ scope, a []any) (any, error) {
	var n [3]int64
	for i := range n {
		var err error
		if n[i], err = rounded(a[i]); err != nil {
			return nil, err
		}
	}
	first, last, step := n[0], n[1], n[2]
	if step == 0 {
		return nil, errors.New("the step must not be 0")
	}
	list := []any{}
	for i := first; step > 0 && i <= last || step < 0 && i >= last; i += step {
		if len(list) == maxRange {
			return nil, fmt.Errorf("the array would have more than %d elements", maxRange)
		}
		list = append(list, integer(i))
		if next := i + step; step > 0 && next < i || step < 0 && next > i {
			break // beyond 64 bits
		}
	}
	return list, nil
}

func arrayGetItem(_ scope, a []any) (any, error) {
	list, err := array(a[0])
	if err != nil {
		return nil, err
	}
	i, err := whole(a[1])
	if err != nil {
		return nil, err
	}
	if i < 0 || i >= int64(len(list)) {
		return nil, fmt.Errorf("there is no element %d in an array of %d", i, len(list))
	}
	return list[i], nil
}

func arrayLength(_ scope, a []any) (any, error) {
	list, err := array(a[0])
	return integer(int64(len(list))), err
}

// arrayUnique removes the elements that are equal to an earlier one.
func arrayUnique(_ scope, a []any) (any, error) {
	list, err := array(a[0])
	if err != nil {
		return nil, err
	}
	unique := []any{}
	seen := map[string]bool{}
	for _, v := range list {
		if key := string(canonical(nil, v)); !seen[key] {
			seen[key] = true
			unique = append(unique, v)
		}
	}
	return unique, nil
}

// sameValue reports whether two values are equal. The order of an object's members
// does not matter. An integer is not equal to a decimal number: AWS does not
// document whether 1 and 1.0 are.
func sameValue(a, b any) bool {
	return string(canonical(nil, a)) == string(canonical(nil, b))
}
