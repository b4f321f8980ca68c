package localaws

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

// formNode is a parameter of the query protocol: "A.member.1.B=c" is the node c in B in 1 in member in A.
type formNode struct {
	value    string
	given    bool // it has a value, and is not only a prefix of others
	children map[string]*formNode
}

// parseParameters reads the parameters of a form. [url.ParseQuery] refuses more than 10,000, and one PutMetricData may have more.
func parseParameters(text string) (url.Values, error) {
	form := url.Values{}
	for pair := range strings.SplitSeq(text, "&") {
		if strings.Contains(pair, ";") {
			return nil, errors.New("a semicolon in a form must be written %3B")
		}
		name, value, given := strings.Cut(pair, "=")
		if name == "" && !given {
			continue
		}
		key, err := url.QueryUnescape(name)
		if err != nil {
			return nil, err
		}
		if value, err = url.QueryUnescape(value); err != nil {
			return nil, err
		}
		form[key] = append(form[key], value)
	}
	return form, nil
}

// deepestParameter is the most dots in the key of a parameter; a deeper one is ignored. CloudWatch's have up to ten.
const deepestParameter = 32

// parseForm returns the parameters as a tree.
func parseForm(form url.Values) *formNode {
	root := &formNode{}
	for key, values := range form {
		if strings.Count(key, ".") > deepestParameter {
			continue
		}
		node := root
		for name := range strings.SplitSeq(key, ".") {
			next := node.children[name]
			if next == nil {
				next = &formNode{}
				if node.children == nil {
					node.children = map[string]*formNode{}
				}
				node.children[name] = next
			}
			node = next
		}
		node.value, node.given = values[len(values)-1], true
	}
	return root
}

// items returns the numbered nodes in the child with a name, by their numbers, which may have gaps.
func (n *formNode) items(name string) ([]*formNode, error) {
	if n.given && n.value != "" {
		return nil, fmt.Errorf("%q stands where a list is expected", n.value)
	}
	list := n.children[name]
	if list == nil {
		if len(n.children) > 0 {
			return nil, errors.New("a list is expected: its parameters end in ." + name + ".1 and so on")
		}
		return nil, nil
	}
	numbers := map[int]*formNode{}
	for text, item := range list.children {
		number, err := strconv.Atoi(text)
		if err != nil || number < 1 || strconv.Itoa(number) != text {
			return nil, fmt.Errorf("%q is not the number of an item of a list", text)
		}
		numbers[number] = item
	}
	all := make([]*formNode, 0, len(numbers))
	for _, number := range slices.Sorted(maps.Keys(numbers)) {
		all = append(all, numbers[number])
	}
	return all, nil
}
