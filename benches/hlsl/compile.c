// Compiles HLSL with Microsoft's own compilers, as wgpu's DX12 backend asks them to; under Wine too.
//
//     compile.exe FXC.DLL DXC.DLL LIST
//
// LIST is the list.tsv of tests/shaders/written.rs, with the files beside it: those for shader model 5.1 go to FXC
// (d3dcompiler_47.dll), later ones to DXC (dxcompiler.dll). A line of output for each compiler: its name and version; then one
// for each shader: compiler, seconds, bytes of code, variant, and what is wrong where it does not compile; separated by tabs.
// A compiler has 20 seconds for a shader: it cannot be stopped, so that all ends with the first that takes longer.
// Exit status 1: one did not compile, or not in time. 2: it could not begin, as standard error says.
//
//     x86_64-w64-mingw32-gcc -O2 -static -o compile.exe benches/hlsl/compile.c -lversion
#define COBJMACROS
#include <fcntl.h>
#include <io.h>
#include <windows.h>
#include <d3dcompiler.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SECONDS = 20, COLUMNS = 5, LONGEST_LINE = 1024, LONGEST_PATH = 4096, UTF8 = 65001 };

// DXC's interfaces, which mingw's headers do not have: of each as much as is called here.
typedef struct DxcResult DxcResult;
typedef struct {
    HRESULT(WINAPI *QueryInterface)(DxcResult *, const IID *, void **);
    ULONG(WINAPI *AddRef)(DxcResult *);
    ULONG(WINAPI *Release)(DxcResult *);
    HRESULT(WINAPI *GetStatus)(DxcResult *, HRESULT *);
    HRESULT(WINAPI *GetResult)(DxcResult *, ID3DBlob **);
    HRESULT(WINAPI *GetErrorBuffer)(DxcResult *, ID3DBlob **);
} DxcResultMethods;
struct DxcResult {
    const DxcResultMethods *methods;
};
typedef struct {
    const void *text;
    SIZE_T bytes;
    UINT encoding;
} DxcBuffer;
typedef struct DxcCompiler DxcCompiler;
typedef struct {
    HRESULT(WINAPI *QueryInterface)(DxcCompiler *, const IID *, void **);
    ULONG(WINAPI *AddRef)(DxcCompiler *);
    ULONG(WINAPI *Release)(DxcCompiler *);
    HRESULT(WINAPI *Compile)(DxcCompiler *, const DxcBuffer *, const wchar_t **, UINT, void *, const IID *, void **);
} DxcCompilerMethods;
struct DxcCompiler {
    const DxcCompilerMethods *methods;
};
typedef HRESULT(WINAPI *DxcCreateInstance)(const CLSID *, const IID *, void **);
static const CLSID DXC_COMPILER = {0x73e22d93, 0xe6ce, 0x47f3, {0xb5, 0xbf, 0xf0, 0x66, 0x4f, 0x39, 0xc1, 0xb0}};
static const IID DXC_COMPILER_3 = {0x228b4687, 0x5a6a, 0x4730, {0x90, 0x0c, 0x97, 0x02, 0xb2, 0x20, 0x3f, 0x54}};
static const IID DXC_RESULT = {0x58346cda, 0xdde7, 0x4497, {0x94, 0x61, 0x6f, 0x87, 0xaf, 0x5e, 0x06, 0x59}};

static pD3DCompile fxc;
static DxcCompiler *dxc;

// One shader on its way through a compiler.
typedef struct {
    const char *target, *entry, *name;
    char *text;
    SIZE_T bytes;
    HRESULT status;
    ID3DBlob *code, *message;
} Shader;

static void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("compile: ", stderr);
    vfprintf(stderr, format, arguments);
    fputs("\n", stderr);
    va_end(arguments);
    exit(2);
}

static HMODULE load(const char *compiler, const char *path) {
    DWORD ignored, bytes = GetFileVersionInfoSizeA(path, &ignored);
    void *information = malloc(bytes + 1);
    VS_FIXEDFILEINFO *version;
    UINT length;
    if (!bytes || !GetFileVersionInfoA(path, 0, bytes, information) || !VerQueryValueA(information, "\\", (void **)&version, &length))
        fail("%s cannot be read, or is no library", path);
    printf("%s\t%d.%d.%d.%d\n", compiler, HIWORD(version->dwFileVersionMS), LOWORD(version->dwFileVersionMS),
           HIWORD(version->dwFileVersionLS), LOWORD(version->dwFileVersionLS));
    HMODULE library = LoadLibraryA(path);
    if (!library) fail("%s cannot be loaded: error %lu", path, GetLastError());
    return library;
}

static void read_text(Shader *shader, const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) fail("%s cannot be read", path);
    fseek(file, 0, SEEK_END);
    shader->bytes = ftell(file);
    rewind(file);
    shader->text = malloc(shader->bytes + 1);
    if (!shader->text || fread(shader->text, 1, shader->bytes, file) != shader->bytes) fail("%s cannot be read", path);
    fclose(file);
}

static bool is_for_fxc(const Shader *shader) {
    return !strcmp(shader->target, "cs_5_1");
}

static void compile_with_dxc(Shader *shader) {
    wchar_t name[LONGEST_LINE], entry[LONGEST_LINE], target[LONGEST_LINE];
    MultiByteToWideChar(CP_UTF8, 0, shader->name, -1, name, LONGEST_LINE);
    MultiByteToWideChar(CP_UTF8, 0, shader->entry, -1, entry, LONGEST_LINE);
    MultiByteToWideChar(CP_UTF8, 0, shader->target, -1, target, LONGEST_LINE);
    const wchar_t *arguments[] = {name, L"-E", entry, L"-T", target, L"-HV", L"2018", L"-no-warnings", L"-Ges", L"-enable-16bit-types"};
    DxcBuffer text = {shader->text, shader->bytes, UTF8};
    DxcResult *result;
    UINT count = sizeof arguments / sizeof *arguments;
    shader->status = dxc->methods->Compile(dxc, &text, arguments, count, NULL, &DXC_RESULT, (void **)&result);
    if (FAILED(shader->status)) return;
    result->methods->GetStatus(result, &shader->status);
    result->methods->GetErrorBuffer(result, &shader->message);
    result->methods->GetResult(result, &shader->code);
    // As wgpu has it: whoever is told to leave warnings out and still says something has failed.
    if (SUCCEEDED(shader->status) && shader->message && ID3D10Blob_GetBufferSize(shader->message) > 1) shader->status = E_FAIL;
}

static DWORD WINAPI compile(void *argument) {
    Shader *shader = argument;
    if (is_for_fxc(shader))
        shader->status = fxc(shader->text, shader->bytes, shader->name, NULL, NULL, shader->entry, shader->target,
                             D3DCOMPILE_ENABLE_STRICTNESS, 0, &shader->code, &shader->message);
    else
        compile_with_dxc(shader);
    return 0;
}

// In one line, the first that says that there is an error if one does.
static void print_message(const Shader *shader) {
    printf("\tstatus %08lx", shader->status);
    if (!shader->message) return;
    const char *text = ID3D10Blob_GetBufferPointer(shader->message);
    const char *end = text + ID3D10Blob_GetBufferSize(shader->message), *error = text;
    while (error < end && strncmp(error, "error", 5)) error++;
    if (error == end) error = text;
    printf(": %.*s", (int)strcspn(error, "\r\n"), error);
}

// Whether it compiled. Prints its line.
static bool check(Shader *shader) {
    LARGE_INTEGER start, now, second;
    QueryPerformanceFrequency(&second);
    QueryPerformanceCounter(&start);
    HANDLE thread = CreateThread(NULL, 16 << 20, compile, shader, 0, NULL);
    if (!thread) fail("no thread to compile in: error %lu", GetLastError());
    bool is_in_time = WaitForSingleObject(thread, SECONDS * 1000) == WAIT_OBJECT_0;
    QueryPerformanceCounter(&now);
    double seconds = (double)(now.QuadPart - start.QuadPart) / second.QuadPart;
    bool is_good = is_in_time && SUCCEEDED(shader->status);
    size_t bytes = is_good && shader->code ? ID3D10Blob_GetBufferSize(shader->code) : 0;
    printf("%s\t%.2f\t%zu\t%s", is_for_fxc(shader) ? "FXC" : "DXC", seconds, bytes, shader->name);
    if (!is_in_time)
        printf("\tnot within %d s; the rest was not compiled\n", SECONDS);
    else {
        if (!is_good) print_message(shader);
        printf("\n");
    }
    fflush(stdout);
    if (!is_in_time) ExitProcess(1);
    CloseHandle(thread);
    if (shader->code) ID3D10Blob_Release(shader->code);
    if (shader->message) ID3D10Blob_Release(shader->message);
    free(shader->text);
    return is_good;
}

int main(int count, char **arguments) {
    _setmode(_fileno(stdout), _O_BINARY); // no carriage returns
    if (count != 4) fail("expected FXC's library, DXC's and the list, found %d arguments", count - 1);
    fxc = (pD3DCompile)(void *)GetProcAddress(load("FXC", arguments[1]), "D3DCompile");
    DxcCreateInstance create = (DxcCreateInstance)(void *)GetProcAddress(load("DXC", arguments[2]), "DxcCreateInstance");
    if (!fxc || !create || FAILED(create(&DXC_COMPILER, &DXC_COMPILER_3, (void **)&dxc))) fail("no compiler in these libraries");
    FILE *list = fopen(arguments[3], "r");
    if (!list) fail("%s cannot be read", arguments[3]);
    const char *end = strrchr(arguments[3], '/');
    int folder = end ? (int)(end - arguments[3]) + 1 : 0;
    char line[LONGEST_LINE];
    bool are_all_good = true;
    while (fgets(line, sizeof line, list)) {
        char *columns[COLUMNS], *rest = line;
        for (int i = 0; i < COLUMNS; i++) { // the fourth may be empty
            columns[i] = rest;
            rest += strcspn(rest, "\t\r\n");
            if (*rest) *rest++ = 0;
        }
        if (!*columns[4]) fail("%s: a line with fewer than five columns", arguments[3]);
        if (!strstr(columns[0], ".hlsl")) continue;
        char path[LONGEST_PATH];
        snprintf(path, sizeof path, "%.*s%s", folder, arguments[3], columns[0]);
        Shader shader = {.target = columns[1], .entry = columns[2], .name = columns[4]};
        read_text(&shader, path);
        are_all_good &= check(&shader);
    }
    return are_all_good ? 0 : 1;
}
