package asl

import (
	"strings"
)

// scope holds what paths and functions can read while a state runs.
type scope struct {
	execution *Execution
	input     any
}

// root returns the value at which the path begins: the context object or the input.
func (s scope) root(p refPath) any {
	if p.context {
		return s.execution.contextObject()
	}
	return s.input
}

// lookup returns the node that the path identifies, and whether there is one. For
// a path that is no reference path it returns an array of its nodes.
func (s scope) lookup(p refPath) (any, bool) {
	if p.many {
		return p.nodes(s.root(p)), true
	}
	return p.get(s.root(p))
}

// inputText returns the JSON text in which a missing path was looked up, for causes.
func (s scope) inputText(p refPath) []byte { return appendJSON(nil, s.root(p)) }

// expr is the value of a template's field whose name ends in .$, and of
// ErrorPath and CausePath: a path or a call of an intrinsic function.
type expr interface {
	// eval returns the expression's value. field is the field's name, for causes.
	eval(s scope, field string) (any, error)
}

// parseExpr reads a path or a call of an intrinsic function.
func parseExpr(text string) (expr, error) {
	if strings.HasPrefix(text, "$") {
		p, err := parsePath(text)
		return p, err
	}
	return parseCall(text)
}

// eval implements expr.
func (p refPath) eval(s scope, field string) (any, error) {
	v, ok := s.lookup(p)
	if !ok {
		return nil, failf(errorRuntime, "The JSONPath '%s' specified for the field '%s' could not be found in the input '%s'",
			p.text, field, s.inputText(p))
	}
	return v, nil
}

// template is a payload template: Parameters or ResultSelector.
type template interface {
	// render returns the template's value in the scope.
	render(s scope) (any, error)
}

// literal is a part of a template without expressions. It is shared, never copied.
type literal struct{ value any }

func (l literal) render(scope) (any, error) { return l.value, nil }

type arrayTemplate []template

func (t arrayTemplate) render(s scope) (any, error) {
	list := make([]any, len(t))
	for i, element := range t {
		v, err := element.render(s)
		if err != nil {
			return nil, err
		}
		list[i] = v
	}
	return list, nil
}

type objectTemplate struct {
	keys   []string
	values []template
}

func (t objectTemplate) render(s scope) (any, error) {
	o := &object{members: make([]member, 0, len(t.keys))}
	for i, key := range t.keys {
		v, err := t.values[i].render(s)
		if err != nil {
			return nil, err
		}
		o.add(key, v)
	}
	return o, nil
}

// exprTemplate is a field whose name ends in .$.
type exprTemplate struct {
	field string
	expr  expr
}

func (t exprTemplate) render(s scope) (any, error) { return t.expr.eval(s, t.field) }

// template compiles a payload template and reports its problems.
func (p *problems) template(at string, value any) template {
	switch v := value.(type) {
	case *object:
		return p.objectTemplate(at, v)
	case []any:
		parts := make(arrayTemplate, len(v))
		static := true
		for i, element := range v {
			parts[i] = p.template(elementPath(at, i), element)
			_, ok := parts[i].(literal)
			static = static && ok
		}
		if !static {
			return parts
		}
	}
	return literal{value}
}

func (p *problems) objectTemplate(at string, o *object) template {
	var t objectTemplate
	static := true
	for _, m := range o.members {
		field := m.key
		at := memberPath(at, field)
		key, dynamic := strings.CutSuffix(field, ".$")
		if !dynamic {
			part := p.template(at, m.value)
			_, ok := part.(literal)
			static = static && ok
			t.keys, t.values = append(t.keys, key), append(t.values, part)
			continue
		}
		static = false
		if o.find(key) >= 0 {
			p.addf(at, "%q and %q give the same field", key, field)
		}
		text, ok := m.value.(string)
		if !ok {
			p.addf(at, "a field whose name ends in .$ takes a path or an intrinsic function, as a string")
			continue
		}
		t.keys, t.values = append(t.keys, key), append(t.values, exprTemplate{field, p.expr(at, text)})
	}
	if static {
		return literal{o}
	}
	return t
}

// expr compiles a path or a call and reports its problems.
func (p *problems) expr(at, text string) expr {
	x, err := parseExpr(text)
	if err != nil {
		p.addf(at, "%q: %v", text, err)
		return refPath{}
	}
	p.contextPaths(at, x)
	return x
}

// contextPaths reports the paths inside x that lead to fields that the context
// object does not have.
func (p *problems) contextPaths(at string, x expr) {
	switch x := x.(type) {
	case refPath:
		if x.context && !knownContext(x.steps) {
			p.addf(at, "%q: the context object here has no such field", x.text)
		}
	case call:
		for _, argument := range x.arguments {
			p.contextPaths(at, argument)
		}
	}
}
