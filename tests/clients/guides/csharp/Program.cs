// Samverka from C# (.NET 8), with nothing but the framework: read a child, understand what is withheld, change something.
// `dotnet new console -n Samverka`, put this in Program.cs, `dotnet run`.

using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;

var school = new Hub("skola", "SCHOOL");
var board = new Hub("landskrona-soc", "PROTECT");
foreach (var (who, hub) in new[] { ("the school", school), ("the board", board) })
{
    var child = await hub.Child();
    Console.WriteLine($"{who}: name: {Hub.Show(child["identity"]!, "givenNames")}; street: {Hub.Show(child["placement"]!, "street")}");
}
var version = (string)(await board.Child())["voice"]!["version"]!;
await board.Wish("Vill spela fotboll.", version);
var written = await board.Wish("Vill spela fotboll och gå i simskola.", version); // from a version that is old by now
Console.WriteLine($"written: {written["voice"]!["wishes"]}");
try
{
    await school.Wish("Vill byta skola.", version);
}
catch (Refused refused)
{
    Console.WriteLine($"the school may not write it: {refused.Message}");
}

/// <summary>The hub refused: <c>Code</c> is stable, the sentences are for people.</summary>
class Refused(JsonNode told) : Exception($"{told["code"]}: {told["sv"]} ({told["remedySv"]})")
{
    public string Code { get; } = (string)told["code"]!;
}

/// <summary>Asks as one agency in one role, for one purpose.</summary>
class Hub(string persona, string purpose)
{
    static readonly string Address = Environment.GetEnvironmentVariable("SAMVERKA_URL") ?? "http://127.0.0.1:8080";
    static readonly HttpClient Http = new() { BaseAddress = new Uri(Address), Timeout = TimeSpan.FromSeconds(30) };

    // "everyday" of GET /sandbox/children; made up, as all children of the sandbox
    const string ChildId = "child_c58qdn9q4t3a79ora9jhktj4ig";

    const string Read = """
        query Read($id: ID!) { child(id: $id) {
          identity { givenNames withheld { field rule legalGround ask } }
          placement { street withheld { field rule legalGround ask } }
          voice { version wishes } } }
        """;
    const string Update = """
        mutation Update($id: ID!, $version: String!, $wishes: String!) {
          updateVoice(childId: $id, expectedVersion: $version, set: { wishes: $wishes }) { child { voice { version wishes } } } }
        """;

    string? token;

    /// <summary>The data of an answer. With a key a mutation is made once, however often it is sent.</summary>
    async Task<JsonNode> Ask(string query, object variables, Guid? key = null)
    {
        for (var attempt = 1; attempt <= 5; attempt++)
        {
            token ??= await NewToken();
            using var request = new HttpRequestMessage(HttpMethod.Post, "/graphql") { Content = JsonContent.Create(new { query, variables }) };
            request.Headers.Add("Authorization", $"Bearer {token}");
            request.Headers.Add("Samverka-Purpose", purpose);
            if (key is not null) request.Headers.TryAddWithoutValidation("Idempotency-Key", $"\"{key}\"");
            HttpResponseMessage answer;
            try
            {
                answer = await Http.SendAsync(request);
            }
            catch (Exception silence) when (silence is HttpRequestException or TaskCanceledException)
            {
                // Nobody knows whether it was made, and the same key makes it harmless to ask again.
                await Task.Delay(TimeSpan.FromSeconds(attempt));
                continue;
            }
            using (answer)
            {
                if (answer.StatusCode is HttpStatusCode.ServiceUnavailable or HttpStatusCode.TooManyRequests)
                {
                    await Task.Delay((answer.Headers.RetryAfter?.Delta ?? TimeSpan.FromSeconds(1)) * attempt);
                    continue;
                }
                var body = (await answer.Content.ReadFromJsonAsync<JsonNode>())!;
                var told = body["errors"]?[0]?["extensions"];
                if (answer.StatusCode == HttpStatusCode.Unauthorized && (string?)told?["code"] == "TOKEN_EXPIRED") token = null;
                else if (told is not null) throw new Refused(told);
                else return body["data"]!;
            }
        }
        throw new TimeoutException("the hub does not answer");
    }

    /// <summary>In production this is your own issuer's work; see ../production.md.</summary>
    async Task<string> NewToken()
    {
        using var answer = await Http.PostAsJsonAsync("/sandbox/token", new { persona });
        var body = (await answer.Content.ReadFromJsonAsync<JsonNode>())!;
        return (string?)body["token"] ?? throw new Refused(body["errors"]![0]!["extensions"]!);
    }

    public async Task<JsonNode> Child() => (await Ask(Read, new { id = ChildId }))["child"]!;

    /// <summary>Writes from a version that was read; reads again and writes again where somebody else was first.</summary>
    public async Task<JsonNode> Wish(string wishes, string version)
    {
        for (var attempt = 1; attempt <= 3; attempt++)
        {
            var key = Guid.NewGuid(); // one for each change, kept while it is repeated
            try
            {
                return (await Ask(Update, new { id = ChildId, version, wishes }, key))["updateVoice"]!["child"]!;
            }
            catch (Refused refused) when (refused.Code == "CONFLICT")
            {
                var now = (await Child())["voice"]!;
                Console.WriteLine($"somebody wrote meanwhile: \"{now["wishes"]}\"; look whether your change still holds");
                version = (string)now["version"]!;
            }
        }
        throw new TimeoutException("others write all the time");
    }

    /// <summary>A value; or why it is not shown. Withheld is not empty: a null without an entry holds nothing that you may know of.</summary>
    public static string Show(JsonNode section, string field)
    {
        var why = section["withheld"]!.AsArray().FirstOrDefault(withheld => (string?)withheld!["field"] == field);
        if (why is not null) return $"withheld by {why["rule"]} ({why["legalGround"]}); ask {why["ask"]}";
        return (string?)section[field] ?? "nothing that you may know of";
    }
}
