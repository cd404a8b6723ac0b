// Calls the API with what openapi-generator makes of its description: URL, key, bodies to score and to have refused.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	client "churn/client"
)

func read(file string) (customers []client.Customer) {
	text, err := os.ReadFile(file)
	if err == nil {
		err = json.Unmarshal(text, &customers)
	}
	if err != nil {
		panic(err)
	}
	return customers
}

func main() {
	settings := client.NewConfiguration()
	settings.Servers = client.ServerConfigurations{{URL: os.Args[1]}}
	settings.AddDefaultHeader("x-api-key", os.Args[2])
	api := client.NewAPIClient(settings).PredictionsAPI
	predictions, _, err := api.Predict(context.Background()).Customer(read(os.Args[3])).Execute()
	if err != nil {
		panic(err)
	}
	for _, prediction := range predictions {
		days, _ := prediction.NextOrderDays.GetChance50Ok()
		fmt.Println(prediction.CustomerId, prediction.PredictionId, days == nil)
	}
	_, _, err = api.Predict(context.Background()).Customer(read(os.Args[4])).Execute()
	var refused *client.GenericOpenAPIError
	if errors.As(err, &refused) {
		problem := refused.Model().(client.Problem)
		fmt.Println(problem.Code, problem.Errors[0].Pointer)
	}
}
