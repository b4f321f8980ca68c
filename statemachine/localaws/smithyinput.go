package localaws

import (
	"fmt"
	"reflect"
	"time"

	"github.com/aws/smithy-go"
)

// shapeInput reads a structure into one of the SDK's input types, which have no method for it: their clients only write them. A
// member of the schema is read into the field of its name.
type shapeInput struct {
	schema *smithy.Schema
	to     any // a pointer to the SDK's type
}

// unsupportedError is the error for a member of an input that the local AWS does not read.
type unsupportedError struct{ member string }

// Error implements error.
func (e *unsupportedError) Error() string {
	return fmt.Sprintf("The local AWS does not support the parameter %s.", e.member)
}

// Deserialize implements [smithy.Deserializable].
func (in shapeInput) Deserialize(d smithy.ShapeDeserializer) error {
	to := reflect.ValueOf(in.to).Elem()
	return smithy.ReadStruct(d, in.schema, func(member *smithy.Schema) error {
		field := to.FieldByName(member.MemberName())
		if !field.IsValid() {
			return &unsupportedError{member.MemberName()}
		}
		return readShape(d, member, field)
	})
}

// readShape reads a value of any type that members of inputs have.
func readShape(d smithy.ShapeDeserializer, s *smithy.Schema, to reflect.Value) error {
	switch v := to.Addr().Interface().(type) {
	case *time.Time:
		return d.ReadTime(s, v)
	case *int32:
		return d.ReadInt32(s, v)
	case *int64:
		return d.ReadInt64(s, v)
	case *float64:
		return d.ReadFloat64(s, v)
	case *bool:
		return d.ReadBool(s, v)
	case smithy.Deserializable:
		return v.Deserialize(d)
	}
	switch to.Kind() {
	case reflect.Pointer:
		to.Set(reflect.New(to.Type().Elem()))
		return readShape(d, s, to.Elem())
	case reflect.String: // also the SDK's enumerations
		var text string
		err := d.ReadString(s, &text)
		to.SetString(text)
		return err
	case reflect.Slice:
		to.Set(reflect.MakeSlice(to.Type(), 0, 0))
		return smithy.ReadList(d, s, func() error {
			item := reflect.New(to.Type().Elem()).Elem()
			isNil, err := d.ReadNil(s.ListMember())
			if err == nil && !isNil {
				err = readShape(d, s.ListMember(), item)
			}
			to.Set(reflect.Append(to, item))
			return err
		})
	}
	return &unsupportedError{s.MemberName()}
}
