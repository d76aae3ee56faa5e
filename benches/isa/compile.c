// Compiles SPIR-V with a Vulkan driver, which needs no GPU where the driver has devices that are not there, and prints what
// its compiler says of each shader.
//
//     compile LIST FOLDER
//
// LIST is the list.tsv of tests/shaders/written.rs, with the files beside it; FOLDER, which must exist, gets the machine code
// of each shader as text, in NAME.txt for NAME.spv. The first line of the output is the device: "device", its name, its
// driver, and what it can do as name=value. Then comes a line for each shader that it can run: file, variant, milliseconds,
// and name=value of every statistic. All is separated by tabs. Exit status 1: something failed, as standard error says.
//
//     cc -O2 -o compile benches/isa/compile.c -lvulkan
#define _DEFAULT_SOURCE
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <vulkan/vulkan.h>

enum { BINDINGS = 4, PATH = 4096, LONGEST_LINE = 1024, LARGEST_SHADER = 1 << 20 };

// VK_KHR_cooperative_matrix, which the headers of Debian 12 are too old for.
typedef struct {
    VkStructureType sType;
    void *pNext;
    VkBool32 cooperativeMatrix, robustBufferAccess;
} MatrixFeatures;
typedef struct {
    VkStructureType sType;
    void *pNext;
    uint32_t rows, columns, depth, a, b, c, result;
    VkBool32 saturating;
    uint32_t scope;
} Matrix;
typedef VkResult(VKAPI_PTR *GetMatrices)(VkPhysicalDevice, uint32_t *, Matrix *);
enum { MATRIX_FEATURES = 1000506000, MATRIX = 1000506001, FLOAT16 = 0, FLOAT32 = 1, OF_A_SUBGROUP = 3 };

typedef struct {
    VkPhysicalDevice physical;
    VkDevice device;
    VkPipelineLayout layout;
    bool f16, subgroups;
    unsigned matrix, largest_subgroup; // the side of square matrices of 16-bit floats with 32-bit sums, or 0
    PFN_vkGetPipelineExecutablePropertiesKHR executables;
    PFN_vkGetPipelineExecutableStatisticsKHR statistics;
    PFN_vkGetPipelineExecutableInternalRepresentationsKHR representations;
} Driver;

static void fail(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    fputs("compile: ", stderr);
    vfprintf(stderr, format, arguments);
    fputs("\n", stderr);
    va_end(arguments);
    exit(1);
}

static void check(VkResult result, const char *call) {
    if (result < 0) fail("%s: Vulkan's error %d", call, result);
}
#define CHECK(call) check(call, #call)

static void *array(size_t count, size_t size) {
    void *memory = calloc(count ? count : 1, size);
    if (!memory) fail("no memory");
    return memory;
}

static bool has_extension(VkPhysicalDevice physical, const char *name) {
    uint32_t count = 0;
    bool found = false;
    CHECK(vkEnumerateDeviceExtensionProperties(physical, NULL, &count, NULL));
    VkExtensionProperties *extensions = array(count, sizeof *extensions);
    CHECK(vkEnumerateDeviceExtensionProperties(physical, NULL, &count, extensions));
    for (uint32_t i = 0; i < count; i++) found |= !strcmp(extensions[i].extensionName, name);
    free(extensions);
    return found;
}

// As `Capabilities::matrix` has it.
static unsigned matrix_side(VkInstance instance, VkPhysicalDevice physical) {
    GetMatrices get = (GetMatrices)vkGetInstanceProcAddr(instance, "vkGetPhysicalDeviceCooperativeMatrixPropertiesKHR");
    uint32_t count = 0;
    unsigned side = 0;
    if (!get || get(physical, &count, NULL) < 0) return 0;
    Matrix *matrices = array(count, sizeof *matrices);
    for (uint32_t i = 0; i < count; i++) matrices[i].sType = MATRIX;
    CHECK(get(physical, &count, matrices));
    for (uint32_t i = 0; i < count; i++) {
        const Matrix *m = &matrices[i];
        bool is_square = m->rows == m->columns && m->columns == m->depth;
        bool is_ours = m->a == FLOAT16 && m->b == FLOAT16 && m->c == FLOAT32 && m->result == FLOAT32 && m->scope == OF_A_SUBGROUP;
        if (is_square && is_ours && !m->saturating && m->rows > side) side = m->rows;
    }
    free(matrices);
    return side;
}

// Opens the first device as wgpu does: with all features that matter to shaders, and checks of buffers by the driver.
static Driver open_driver(void) {
    Driver driver = {0};
    VkInstance instance;
    VkApplicationInfo application = {VK_STRUCTURE_TYPE_APPLICATION_INFO, .apiVersion = VK_API_VERSION_1_3};
    VkInstanceCreateInfo instance_info = {VK_STRUCTURE_TYPE_INSTANCE_CREATE_INFO, .pApplicationInfo = &application};
    CHECK(vkCreateInstance(&instance_info, NULL, &instance));
    uint32_t count = 1;
    check(vkEnumeratePhysicalDevices(instance, &count, &driver.physical), "vkEnumeratePhysicalDevices");
    if (!count) fail("no Vulkan device: VK_DRIVER_FILES and RADV_FORCE_FAMILY choose one that is not there");

    const char *extensions[3] = {"VK_KHR_pipeline_executable_properties"};
    uint32_t enabled = 1;
    if (!has_extension(driver.physical, extensions[0])) fail("the driver has no %s, and so tells nothing", extensions[0]);
    MatrixFeatures matrices = {.sType = (VkStructureType)MATRIX_FEATURES};
    VkPhysicalDeviceRobustness2FeaturesEXT robustness = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_ROBUSTNESS_2_FEATURES_EXT};
    VkPhysicalDevicePipelineExecutablePropertiesFeaturesKHR executable = {
        VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PIPELINE_EXECUTABLE_PROPERTIES_FEATURES_KHR};
    void *chain = &executable;
    if (has_extension(driver.physical, "VK_KHR_cooperative_matrix")) {
        matrices.pNext = chain, chain = &matrices;
        extensions[enabled++] = "VK_KHR_cooperative_matrix";
        driver.matrix = matrix_side(instance, driver.physical);
    }
    if (has_extension(driver.physical, "VK_EXT_robustness2")) {
        robustness.pNext = chain, chain = &robustness;
        extensions[enabled++] = "VK_EXT_robustness2";
    }
    VkPhysicalDeviceVulkan13Features features13 = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_3_FEATURES, chain};
    VkPhysicalDeviceVulkan12Features features12 = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_2_FEATURES, &features13};
    VkPhysicalDeviceVulkan11Features features11 = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_VULKAN_1_1_FEATURES, &features12};
    VkPhysicalDeviceFeatures2 features = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_FEATURES_2, &features11};
    vkGetPhysicalDeviceFeatures2(driver.physical, &features);
    driver.f16 = features12.shaderFloat16 && features11.storageBuffer16BitAccess;

    float priority = 1;
    VkDeviceQueueCreateInfo queue = {VK_STRUCTURE_TYPE_DEVICE_QUEUE_CREATE_INFO, .queueCount = 1, .pQueuePriorities = &priority};
    VkDeviceCreateInfo device_info = {VK_STRUCTURE_TYPE_DEVICE_CREATE_INFO, &features, .queueCreateInfoCount = 1,
                                      .pQueueCreateInfos = &queue, .enabledExtensionCount = enabled,
                                      .ppEnabledExtensionNames = extensions};
    CHECK(vkCreateDevice(driver.physical, &device_info, NULL, &driver.device));
#define LOAD(name) (PFN_##name) vkGetDeviceProcAddr(driver.device, #name)
    driver.executables = LOAD(vkGetPipelineExecutablePropertiesKHR);
    driver.statistics = LOAD(vkGetPipelineExecutableStatisticsKHR);
    driver.representations = LOAD(vkGetPipelineExecutableInternalRepresentationsKHR);

    // As shaders/README.md has them: parameters, and three buffers.
    VkDescriptorSetLayoutBinding bindings[BINDINGS];
    for (uint32_t i = 0; i < BINDINGS; i++) {
        VkDescriptorType type = i ? VK_DESCRIPTOR_TYPE_STORAGE_BUFFER : VK_DESCRIPTOR_TYPE_UNIFORM_BUFFER;
        bindings[i] = (VkDescriptorSetLayoutBinding){i, type, 1, VK_SHADER_STAGE_COMPUTE_BIT, NULL};
    }
    VkDescriptorSetLayoutCreateInfo set_info = {VK_STRUCTURE_TYPE_DESCRIPTOR_SET_LAYOUT_CREATE_INFO, .bindingCount = BINDINGS,
                                                .pBindings = bindings};
    VkDescriptorSetLayout set;
    CHECK(vkCreateDescriptorSetLayout(driver.device, &set_info, NULL, &set));
    VkPipelineLayoutCreateInfo layout_info = {VK_STRUCTURE_TYPE_PIPELINE_LAYOUT_CREATE_INFO, .setLayoutCount = 1, .pSetLayouts = &set};
    CHECK(vkCreatePipelineLayout(driver.device, &layout_info, NULL, &driver.layout));
    return driver;
}

static void describe(Driver *driver) {
    VkPhysicalDeviceSubgroupSizeControlProperties sizes = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_SIZE_CONTROL_PROPERTIES};
    VkPhysicalDeviceSubgroupProperties subgroup = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_SUBGROUP_PROPERTIES, &sizes};
    VkPhysicalDeviceDriverProperties info = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_DRIVER_PROPERTIES, &subgroup};
    VkPhysicalDeviceProperties2 properties = {VK_STRUCTURE_TYPE_PHYSICAL_DEVICE_PROPERTIES_2, &info};
    vkGetPhysicalDeviceProperties2(driver->physical, &properties);
    const VkPhysicalDeviceLimits *limits = &properties.properties.limits;
    driver->subgroups = subgroup.supportedOperations & VK_SUBGROUP_FEATURE_SHUFFLE_BIT;
    driver->largest_subgroup = sizes.maxSubgroupSize;
    printf("device\t%s\t%s %s\tsubgroup=%u..%u\tf16=%s\tmatrix=%u\tinvocations=%u\tbytes=%u\n", properties.properties.deviceName,
           info.driverName, info.driverInfo, sizes.minSubgroupSize, sizes.maxSubgroupSize, driver->f16 ? "yes" : "no",
           driver->matrix, limits->maxComputeWorkGroupInvocations, limits->maxComputeSharedMemorySize);
}

// Whether the device has all that a shader needs, in the words of the list.
static bool has(const Driver *driver, char *needs) {
    unsigned number;
    char *rest;
    for (char *word = strtok_r(needs, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
        if (!strcmp(word, "f16") && driver->f16) continue;
        if (!strcmp(word, "subgroups") && driver->subgroups) continue;
        if (sscanf(word, "matrix=%u", &number) == 1 && driver->matrix == number) continue;
        if (sscanf(word, "subgroup=%u", &number) == 1 && driver->largest_subgroup == number) continue;
        return false;
    }
    return true;
}

static void print_statistics(const Driver *driver, const VkPipelineExecutableInfoKHR *which) {
    uint32_t count = 0;
    CHECK(driver->statistics(driver->device, which, &count, NULL));
    VkPipelineExecutableStatisticKHR *statistics = array(count, sizeof *statistics);
    for (uint32_t i = 0; i < count; i++) statistics[i].sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_STATISTIC_KHR;
    CHECK(driver->statistics(driver->device, which, &count, statistics));
    for (uint32_t i = 0; i < count; i++) {
        const VkPipelineExecutableStatisticKHR *s = &statistics[i];
        switch (s->format) {
        case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_BOOL32_KHR: printf("\t%s=%u", s->name, s->value.b32); break;
        case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_INT64_KHR: printf("\t%s=%lld", s->name, (long long)s->value.i64); break;
        case VK_PIPELINE_EXECUTABLE_STATISTIC_FORMAT_UINT64_KHR: printf("\t%s=%llu", s->name, (unsigned long long)s->value.u64); break;
        default: printf("\t%s=%g", s->name, s->value.f64);
        }
    }
    free(statistics);
}

// The last representation is the machine's code.
static void keep_code(const Driver *driver, const VkPipelineExecutableInfoKHR *which, const char *path) {
    uint32_t count = 0;
    CHECK(driver->representations(driver->device, which, &count, NULL));
    if (!count) fail("the driver shows no machine code");
    VkPipelineExecutableInternalRepresentationKHR *texts = array(count, sizeof *texts);
    for (uint32_t i = 0; i < count; i++) texts[i].sType = VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_INTERNAL_REPRESENTATION_KHR;
    CHECK(driver->representations(driver->device, which, &count, texts)); // their sizes
    for (uint32_t i = 0; i < count; i++) texts[i].pData = array(texts[i].dataSize, 1);
    CHECK(driver->representations(driver->device, which, &count, texts));
    FILE *file = fopen(path, "w");
    if (!file || fputs(texts[count - 1].pData, file) < 0 || fclose(file)) fail("%s cannot be written", path);
    for (uint32_t i = 0; i < count; i++) free(texts[i].pData);
    free(texts);
}

static double milliseconds(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e3 + time.tv_nsec * 1e-6;
}

static void compile(const Driver *driver, const char *path, const char *code, const char *entry) {
    static uint32_t words[LARGEST_SHADER / sizeof(uint32_t)];
    FILE *file = fopen(path, "rb");
    if (!file) fail("%s cannot be read", path);
    VkShaderModuleCreateInfo module_info = {VK_STRUCTURE_TYPE_SHADER_MODULE_CREATE_INFO, .pCode = words};
    module_info.codeSize = fread(words, 1, sizeof words, file);
    fclose(file);
    VkShaderModule module;
    CHECK(vkCreateShaderModule(driver->device, &module_info, NULL, &module));
    VkPipelineShaderStageCreateInfo stage = {VK_STRUCTURE_TYPE_PIPELINE_SHADER_STAGE_CREATE_INFO, .module = module, .pName = entry,
                                             .flags = VK_PIPELINE_SHADER_STAGE_CREATE_ALLOW_VARYING_SUBGROUP_SIZE_BIT,
                                             .stage = VK_SHADER_STAGE_COMPUTE_BIT};
    VkComputePipelineCreateInfo info = {VK_STRUCTURE_TYPE_COMPUTE_PIPELINE_CREATE_INFO, .stage = stage, .layout = driver->layout,
                                        .flags = VK_PIPELINE_CREATE_CAPTURE_STATISTICS_BIT_KHR |
                                                 VK_PIPELINE_CREATE_CAPTURE_INTERNAL_REPRESENTATIONS_BIT_KHR};
    VkPipeline pipeline;
    double start = milliseconds();
    VkResult result = vkCreateComputePipelines(driver->device, VK_NULL_HANDLE, 1, &info, NULL, &pipeline);
    if (result != VK_SUCCESS) fail("%s does not compile: Vulkan's error %d", path, result);
    printf("\t%.1f", milliseconds() - start);

    VkPipelineInfoKHR of = {VK_STRUCTURE_TYPE_PIPELINE_INFO_KHR, NULL, pipeline};
    uint32_t count = 1;
    VkPipelineExecutablePropertiesKHR executable = {VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_PROPERTIES_KHR};
    CHECK(driver->executables(driver->device, &of, &count, &executable));
    VkPipelineExecutableInfoKHR which = {VK_STRUCTURE_TYPE_PIPELINE_EXECUTABLE_INFO_KHR, NULL, pipeline, 0};
    printf("\tSubgroup size=%u", executable.subgroupSize);
    print_statistics(driver, &which);
    keep_code(driver, &which, code);
    vkDestroyPipeline(driver->device, pipeline, NULL);
    vkDestroyShaderModule(driver->device, module, NULL);
}

int main(int count, char **arguments) {
    if (count != 3) fail("expected the list and a folder for machine code, found %d arguments", count - 1);
    FILE *list = fopen(arguments[1], "r");
    if (!list) fail("%s cannot be read", arguments[1]);
    const char *end = strrchr(arguments[1], '/');
    int folder = end ? (int)(end - arguments[1]) + 1 : 0;
    Driver driver = open_driver();
    describe(&driver);
    char line[LONGEST_LINE];
    while (fgets(line, sizeof line, list)) {
        char *rest = line, *columns[5];
        for (int i = 0; i < 5; i++) columns[i] = strsep(&rest, "\t\n");
        if (!columns[4]) fail("%s: a line with fewer than five columns", arguments[1]);
        if (!strstr(columns[0], ".spv") || !has(&driver, columns[3])) continue;
        char shader[PATH], code[PATH];
        snprintf(shader, sizeof shader, "%.*s%s", folder, arguments[1], columns[0]);
        snprintf(code, sizeof code, "%s/%.*s.txt", arguments[2], (int)strcspn(columns[0], "."), columns[0]);
        printf("%s\t%s", columns[0], columns[4]);
        compile(&driver, shader, code, columns[2]);
        printf("\n");
    }
    return 0;
}
