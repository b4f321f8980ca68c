package asl

// A JSON value between states is one of nil, bool, number, string, []any,
// *object and *unread (see opened). Values are immutable once they are read or
// built, so states and executions share them freely.

// number is a JSON number as it was written, so that it survives every round trip
// exactly.
type number string

// object is a JSON object that keeps its members in the order in which they were
// written, as Step Functions does. The last value of a repeated key counts.
type object struct {
	members  []member
	index    map[string]int // by key; nil while the object is small
	repeated []string       // keys that occurred more than once
}

type member struct {
	key   string
	value any
}

// smallObject is the number of members up to which comparing each key is faster
// than a map.
const smallObject = 32

// find returns the position of a key, or -1.
func (o *object) find(key string) int {
	if o.index != nil {
		if i, ok := o.index[key]; ok {
			return i
		}
		return -1
	}
	for i := range o.members {
		if o.members[i].key == key {
			return i
		}
	}
	return -1
}

// get returns a member's value and whether there is such a member.
func (o *object) get(key string) (any, bool) {
	if i := o.find(key); i >= 0 {
		return o.members[i].value, true
	}
	return nil, false
}

// add sets a member of an object under construction.
func (o *object) add(key string, value any) {
	if i := o.find(key); i >= 0 {
		o.members[i].value = value
		o.repeated = append(o.repeated, key)
		return
	}
	o.members = append(o.members, member{key, value})
	if o.index != nil {
		o.index[key] = len(o.members) - 1
	} else if len(o.members) > smallObject {
		o.index = make(map[string]int, 2*len(o.members))
		for i, m := range o.members {
			o.index[m.key] = i
		}
	}
}

// with returns a copy of the object in which the key has the value.
func (o *object) with(key string, value any) *object {
	c := &object{members: make([]member, 0, len(o.members)+1)}
	for _, m := range o.members {
		if m.key == key {
			m.value = value
		}
		c.add(m.key, m.value)
	}
	if o.find(key) < 0 {
		c.add(key, value)
	}
	return c
}

// newObject returns an object built from alternating keys and values.
func newObject(members ...any) *object {
	o := &object{members: make([]member, 0, len(members)/2)}
	for i := 0; i < len(members); i += 2 {
		o.add(members[i].(string), members[i+1])
	}
	return o
}

// document is a value together with its JSON text. The text is written once, then
// measured, recorded and passed to tasks.
type document struct {
	value   any
	text    []byte
	foreign bool // a task wrote the text, so it may differ from what appendJSON writes
}

// newDocument returns the document of a value.
func newDocument(value any) document {
	return document{value: value, text: appendJSON(nil, value)}
}

// indexOf returns the index of the first document of a value whose text appendJSON would
// write; -1 if there is none. It knows only objects and unread data.
func indexOf(value any, known []document) int {
	switch value.(type) {
	case *object, *unread:
		for i := range known {
			if known[i].value == value && !known[i].foreign {
				return i
			}
		}
	}
	return -1
}
