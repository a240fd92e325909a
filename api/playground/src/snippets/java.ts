import type { Call } from './index.ts';
import { literal, pieces } from './literals.ts';

export const java = (call: Call): string => `import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;

public class Ask {
    public static void main(String[] arguments) throws Exception {
        String body =
            ${pieces(call.body, '\n            + ')};
        HttpRequest request = HttpRequest.newBuilder(URI.create(${literal(call.address)}))
            .header("Authorization", "Bearer " + System.getenv("TOKEN"))
${call.headers.map(([name, value]) => `            .header(${literal(name)}, ${literal(value)})\n`).join('')}            .POST(HttpRequest.BodyPublishers.ofString(body))
            .build();
        System.out.println(HttpClient.newHttpClient().send(request, BodyHandlers.ofString()).body());
    }
}
`;
