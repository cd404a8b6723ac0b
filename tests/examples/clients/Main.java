import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.openapitools.client.ApiClient;
import org.openapitools.client.ApiException;
import org.openapitools.client.api.PredictionsApi;
import org.openapitools.client.model.Customer;
import org.openapitools.client.model.CustomerByFeatures;
import org.openapitools.client.model.CustomerByOrders;
import org.openapitools.client.model.Prediction;
import org.openapitools.client.model.Problem;

/** Calls the API with what openapi-generator makes of its description: URL, key, bodies to score and to have refused. */
public class Main {
    private static final ApiClient client = new ApiClient();

    public static void main(String[] given) throws Exception {
        client.updateBaseUri(given[0]);
        client.setRequestInterceptor(request -> request.header("x-api-key", given[1]));
        PredictionsApi api = new PredictionsApi(client);
        for (Prediction prediction : api.predict(read(given[2]))) {
            System.out.println(prediction.getCustomerId() + " " + prediction.getPredictionId() + " "
                    + (prediction.getNextOrderDays().getChance50() == null));
        }
        try {
            api.predict(read(given[3]));
        } catch (ApiException refused) {
            Problem problem = client.getObjectMapper().readValue(refused.getResponseBody(), Problem.class);
            System.out.println(problem.getCode() + " " + problem.getErrors().get(0).getPointer());
        }
    }

    private static List<Customer> read(String file) throws Exception {
        List<Customer> customers = new ArrayList<>();
        for (JsonNode given : client.getObjectMapper().readTree(Files.readString(Path.of(file)))) {
            customers.add(given.has("features") ? new Customer(as(given, CustomerByFeatures.class))
                    : new Customer(as(given, CustomerByOrders.class)));
        }
        return customers;
    }

    private static <T> T as(JsonNode given, Class<T> kind) throws Exception {
        return client.getObjectMapper().treeToValue(given, kind);
    }
}
